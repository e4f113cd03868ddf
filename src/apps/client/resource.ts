/** Resources as a client gets them: whatever their kind, in the two forms of the wire. */
import { CodedError, instantOf, type Instant, type Phase } from "#runtime";
import { EventType, type Event, type WireResource } from "#runtime/rpc/client";

/** Metadata as it was sent; `version` is a number or `undefined` for a tombstone. */
export interface RemoteMetadata {
  readonly namespace: string;
  readonly type: string;
  readonly id: string;
  readonly version: string;
  readonly owner: string;
  readonly phase: Phase;
  readonly created: Instant;
  readonly updated: Instant;
  readonly finalizers: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A resource of any kind. */
export interface RemoteResource {
  readonly metadata: RemoteMetadata;
  readonly yamlSpec: string;
  /** Empty for a kind without a protobuf form. */
  readonly protoSpec: Uint8Array;
}

/** What a watch says; `bootstrapped` ends what was there when it began. */
export type RemoteEvent =
  | {
      readonly type: "created" | "updated" | "destroyed";
      readonly resource: RemoteResource;
      readonly old?: RemoteResource;
    }
  | { readonly type: "bootstrapped" };

/** The node sent what is no resource, or its watch failed. */
export class ReplyError extends CodedError {
  readonly code = "ERR_REPLY";
}

/** @throws {ReplyError} when a part is missing or does not parse */
export function remoteResource(wire: WireResource | undefined): RemoteResource {
  const { metadata, spec } = wire ?? {};
  if (metadata === undefined) throw new ReplyError("metadata is missing");
  if (spec === undefined) throw new ReplyError("spec is missing");
  const { phase, version, created, updated } = metadata;
  if (phase !== "running" && phase !== "tearingDown")
    throw new ReplyError(`phase ${JSON.stringify(phase)} is none`);
  if (!/^(?:undefined|\d+)$/.test(version))
    throw new ReplyError(`version ${JSON.stringify(version)} is none`);
  return {
    metadata: { ...metadata, phase, created: momentOf(created), updated: momentOf(updated) },
    yamlSpec: spec.yamlSpec,
    protoSpec: spec.protoSpec,
  };
}

const momentOf = (date: Date | undefined): Instant => instantOf(date?.getTime() ?? 0);

const changes: Readonly<Partial<Record<EventType, "created" | "updated" | "destroyed">>> = {
  [EventType.CREATED]: "created",
  [EventType.UPDATED]: "updated",
  [EventType.DESTROYED]: "destroyed",
};

/**
 * @returns nothing for an event that says nothing to a client
 * @throws {ReplyError} for an ERRORED event
 */
export function remoteEvent({ eventType, resource, old, error }: Event): RemoteEvent | undefined {
  if (eventType === EventType.BOOTSTRAPPED) return { type: "bootstrapped" };
  if (eventType === EventType.ERRORED) throw new ReplyError(error ?? "the watch failed");
  const type = changes[eventType];
  if (type === undefined) return undefined;
  return { type, resource: remoteResource(resource), ...(old && { old: remoteResource(old) }) };
}
