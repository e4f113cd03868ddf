/** Resources as bytes of `cosi.resource.Resource` (cosi.md §5.3, §5.6). */
import type { AnyResourceType, Metadata, Resource, ResourceType } from "../resource.ts";
import { MessageWriter } from "./message-writer.ts";
import { isOpaqueSpec } from "./opaque.ts";
import { yamlText } from "./yaml.ts";

/** Finds the definition of a type; without one the spec is shown as it is stored. */
export type KindLookup = (type: string) => AnyResourceType | undefined;

/** Makes a lookup of a list of kinds. */
export function lookupOf(kinds: readonly AnyResourceType[]): KindLookup {
  const byType = new Map(kinds.map((kind) => [kind.type, kind]));
  return (type) => byType.get(type);
}

/**
 * Gives a resource as field 1 of a message: what GetResponse, ListResponse, CreateResponse and
 * UpdateResponse consist of, and what an Event begins with.
 */
export type ResourceBytes = (resource: Resource) => Buffer;

/** The field that a resource is in all of these messages. */
const RESOURCE = 1;

/** Until so many bytes are held, a resource that is told of again is not encoded again. */
const REMEMBERED_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Makes an encoder that remembers what it encoded lately: resources are frozen, so the same object
 * has the same bytes.
 */
export function resourceBytes(kindOf: KindLookup): ResourceBytes {
  const writer = new MessageWriter();
  let young = new Map<Resource, Buffer>();
  let old = new Map<Resource, Buffer>();
  let size = 0;
  return (resource) => {
    let bytes = young.get(resource);
    if (bytes !== undefined) return bytes;
    bytes = old.get(resource);
    bytes ??= writer.write(() => writeResource(writer, resource, kindOf));
    size += bytes.length;
    if (size > REMEMBERED_BYTES_MAX / 2) {
      old = young;
      young = new Map();
      size = bytes.length;
    }
    young.set(resource, bytes);
    return bytes;
  };
}

/**
 * Writes a resource in the form that clients read: `metadata` and `spec` are always there, `yaml_spec`
 * is never empty unless it came so, and `proto_spec` is left out where there is none.
 */
function writeResource(out: MessageWriter, { metadata, spec }: Resource, kindOf: KindLookup): void {
  // The spec belongs to the kind of its type: whoever stored it went through that definition.
  const kind = kindOf(metadata.type) as ResourceType<unknown> | undefined;
  const resource = out.open(RESOURCE);
  const inner = out.open(1);
  writeMetadata(out, metadata, kind?.encoding.annotations);
  out.close(inner);
  const outer = out.open(2);
  if (metadata.version === 0) out.text(2, "{}\n");
  else if (kind === undefined && isOpaqueSpec(spec)) {
    if (spec.proto !== "") out.base64(1, spec.proto);
    if (spec.yaml !== "") out.text(2, spec.yaml);
  } else {
    const proto = kind?.encoding.proto?.(spec);
    if (proto !== undefined && proto.length > 0) out.bytes(1, proto);
    out.text(2, yamlText(kind?.encoding.yaml ? kind.encoding.yaml(spec) : spec));
  }
  out.close(outer);
  out.close(resource);
}

function writeMetadata(
  out: MessageWriter,
  metadata: Metadata,
  expected: Metadata["annotations"] | undefined,
): void {
  const { namespace, type, id, version, owner, phase } = metadata;
  if (namespace !== "") out.text(1, namespace);
  if (type !== "") out.text(2, type);
  if (id !== "") out.text(3, id);
  out.text(4, version === 0 ? "undefined" : String(version));
  if (owner !== "") out.text(5, owner);
  out.text(6, phase);
  writeInstant(out, 7, metadata.created);
  writeInstant(out, 8, metadata.updated);
  for (const finalizer of metadata.finalizers) out.text(9, finalizer);
  writeMap(out, 10, metadata.labels);
  writeMap(out, 11, expected ? { ...expected, ...metadata.annotations } : metadata.annotations);
}

/** A `google.protobuf.Timestamp`; nothing is before 1970 here. */
function writeInstant(out: MessageWriter, field: number, instant: number): void {
  const place = out.open(field);
  const seconds = Math.floor(instant / 1000);
  const nanos = Math.floor(instant - seconds * 1000) * 1_000_000;
  if (seconds > 0) out.number(1, seconds);
  if (nanos > 0) out.number(2, nanos);
  out.close(place);
}

function writeMap(out: MessageWriter, field: number, map: Metadata["labels"]): void {
  for (const key of Object.keys(map)) {
    const place = out.open(field);
    if (key !== "") out.text(1, key);
    const value = map[key] ?? "";
    if (value !== "") out.text(2, value);
    out.close(place);
  }
}
