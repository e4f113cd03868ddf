/** Resources on their way to a server and back. */
import { formatPointer } from "../../errors.ts";
import { instantOf, type Instant } from "../../instant.ts";
import type { Resource } from "../../resource.ts";
import type { Resource as WireResource } from "../../rpc/gen/v1alpha1/resource.ts";
import { GetResponse } from "../../rpc/gen/v1alpha1/state.ts";
import { opaqueSpec } from "../../rpc/opaque.ts";
import { knownSpec, readMetadata } from "../../rpc/read-resource.ts";
import { resourceBytes, type KindLookup } from "../../rpc/wire.ts";
import { equalJson, freezeJson } from "../json-value.ts";
import { RemoteStoreError } from "./errors.ts";

/** Puts resources into messages and reads them. */
export interface Translation {
  /** The message of a resource that is to be written. */
  wire(resource: Resource): WireResource;
  /**
   * Reads a resource, frozen. Specs of kinds that are not known are opaque.
   *
   * @throws {InvalidSpecError} when the spec is none of its kind
   * @throws {RemoteStoreError} when a part is missing
   */
  read(wire: WireResource | undefined): Resource | Promise<Resource>;
}

/** Makes a translation for the kinds that are known. */
export function translation(kindOf: KindLookup): Translation {
  const bytesOf = resourceBytes(kindOf);
  const frozen = recollection();
  return {
    wire(resource) {
      const { resource: wire } = GetResponse.decode(bytesOf(resource));
      if (wire === undefined) throw new TypeError("a resource was encoded as nothing");
      return wire;
    },
    read(wire) {
      const { metadata, spec } = wire ?? {};
      if (metadata === undefined) throw new RemoteStoreError("the server sent no metadata");
      if (spec === undefined) throw new RemoteStoreError("the server sent no spec");
      const read = {
        ...readMetadata(metadata),
        created: momentOf(metadata.created),
        updated: momentOf(metadata.updated),
      };
      if (read.version === 0) return frozen({ metadata: read, spec: null }); // a tombstone
      const kind = kindOf(metadata.type);
      if (kind === undefined)
        return frozen({ metadata: read, spec: opaqueSpec(spec.protoSpec, spec.yamlSpec) });
      const resource = knownSpec(read, spec, kind);
      return resource instanceof Promise ? resource.then(frozen) : frozen(resource);
    },
  };
}

const momentOf = (date: Date | undefined): Instant => instantOf(date?.getTime() ?? 0);

/** So many of the resources that were read last are remembered, and as many of those before. */
const REMEMBERED_MAX = 10_000;

/**
 * Freezes resources, and gives the object that was given before where the value is the same: the
 * same reference means that nothing changed.
 */
function recollection(): (resource: Resource) => Resource {
  let young = new Map<string, Resource>();
  let old = new Map<string, Resource>();
  return (read) => {
    const key = formatPointer(read.metadata);
    const known = young.get(key) ?? old.get(key);
    let resource = read;
    if (known !== undefined && equalJson(known.spec, read.spec))
      resource = equalJson(known.metadata, read.metadata) ? known : { ...read, spec: known.spec };
    freezeJson(resource);
    if (young.size >= REMEMBERED_MAX) {
      old = young;
      young = new Map();
    }
    young.set(key, resource);
    return resource;
  };
}
