/** Resources as `cosi.resource` messages (cosi.md §5.3, §5.6). */
import type { AnyResourceType, Resource, ResourceType } from "../resource.ts";
import type { WatchEvent } from "../store/store.ts";
import type { Resource as WireResource } from "./gen/v1alpha1/resource.ts";
import { EventType, type Event } from "./gen/v1alpha1/state.ts";
import { yamlText } from "./yaml.ts";

/** Finds the definition of a type; without one the YAML of the spec is all there is. */
export type KindLookup = (type: string) => AnyResourceType | undefined;

/** Makes a lookup of a list of kinds. */
export function lookupOf(kinds: readonly AnyResourceType[]): KindLookup {
  const byType = new Map(kinds.map((kind) => [kind.type, kind]));
  return (type) => byType.get(type);
}

const nothing = Buffer.alloc(0);

/**
 * Puts a resource in the form that clients read: `metadata` and `spec` are always there, `yaml_spec`
 * is never empty, and `proto_spec` is left out for kinds that have none and for tombstones.
 */
export function wireResource({ metadata, spec }: Resource, kindOf: KindLookup): WireResource {
  const isTombstone = metadata.version === 0;
  // The spec belongs to the kind of its type: whoever stored it went through that definition.
  const kind = kindOf(metadata.type) as ResourceType<unknown> | undefined;
  const { proto, yaml, annotations } = kind?.encoding ?? {};
  return {
    metadata: {
      namespace: metadata.namespace,
      type: metadata.type,
      id: metadata.id,
      version: isTombstone ? "undefined" : String(metadata.version),
      owner: metadata.owner,
      phase: metadata.phase,
      created: new Date(metadata.created),
      updated: new Date(metadata.updated),
      finalizers: [...metadata.finalizers],
      labels: metadata.labels,
      annotations: annotations ? { ...annotations, ...metadata.annotations } : metadata.annotations,
    },
    spec: isTombstone
      ? { protoSpec: nothing, yamlSpec: yamlText({}) }
      : {
          protoSpec: proto ? bufferOver(proto(spec)) : nothing,
          yamlSpec: yamlText(yaml ? yaml(spec) : spec),
        },
  };
}

const bufferOver = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

const eventTypes = {
  created: EventType.CREATED,
  updated: EventType.UPDATED,
  destroyed: EventType.DESTROYED,
  bootstrapped: EventType.BOOTSTRAPPED,
  errored: EventType.ERRORED,
  noop: EventType.NOOP,
} as const satisfies Record<WatchEvent["type"], EventType>;

/**
 * Puts an event in the form that clients read: `old` stands only on UPDATED, the bookmark where the
 * store gave one, and what has no resource leaves it out.
 */
export function wireEvent(event: WatchEvent, kindOf: KindLookup): Event {
  const bookmark = "bookmark" in event ? bufferOver(event.bookmark) : undefined;
  return {
    eventType: eventTypes[event.type],
    resource: "resource" in event ? wireResource(event.resource, kindOf) : undefined,
    old: event.type === "updated" ? wireResource(event.old, kindOf) : undefined,
    error: event.type === "errored" ? event.error.message : undefined,
    bookmark,
  };
}
