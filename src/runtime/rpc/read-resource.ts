/** Resources that callers send, checked (cosi.md §5.4). */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { parse } from "yaml";
import { formatPointer, InvalidSpecError } from "../errors.ts";
import { instantOf } from "../instant.ts";
import type { AnyResourceType, Phase, Resource } from "../resource.ts";
import type {
  Metadata as WireMetadata,
  Resource as WireResource,
  Spec as WireSpec,
} from "./gen/v1alpha1/resource.ts";
import { opaqueSpec } from "./opaque.ts";
import { InvalidRequestError } from "./status.ts";
import type { KindLookup } from "./wire.ts";

/** Which kinds can be written. */
export interface ReadableKinds {
  readonly kindOf: KindLookup;
  /** Whether specs of other kinds are kept as they come. */
  readonly acceptUnknown: boolean;
}

const INT64_MAX = 2n ** 63n - 1n;
const epoch = instantOf(0);

/**
 * Reads a resource; its timestamps and what the store sets are of no account.
 *
 * @throws {InvalidRequestError} when a part is missing or does not parse, or the kind is unknown
 * @throws {InvalidSpecError} when the spec is none of its kind
 */
export function readResource(
  wire: WireResource | undefined,
  { kindOf, acceptUnknown }: ReadableKinds,
): Resource | Promise<Resource> {
  const { metadata, spec } = wire ?? {};
  if (metadata === undefined) throw new InvalidRequestError("the resource has no metadata");
  if (spec === undefined) throw new InvalidRequestError("the resource has no spec");
  const read = readMetadata(metadata);
  const kind = kindOf(metadata.type);
  if (kind === undefined) {
    if (acceptUnknown) return { metadata: read, spec: opaqueSpec(spec.protoSpec, spec.yamlSpec) };
    throw new InvalidRequestError(`type ${JSON.stringify(metadata.type)} is not known here`);
  }
  return knownSpec(read, spec, kind);
}

/** @throws {InvalidRequestError} */
export function readMetadata(wire: WireMetadata): Resource["metadata"] {
  const { namespace, type, id, owner, finalizers, labels, annotations } = wire;
  return {
    ...{ namespace, type, id, owner, finalizers, labels, annotations },
    version: readVersion(wire.version),
    phase: readPhase(wire.phase),
    created: epoch,
    updated: epoch,
  };
}

/**
 * Reads a version: 0 for one that is undefined.
 *
 * @throws {InvalidRequestError}
 */
export function readVersion(text: string): number {
  if (text === "undefined") return 0;
  if (/^\d{1,19}$/.test(text) && BigInt(text) <= INT64_MAX) return Number(text);
  throw new InvalidRequestError(`version ${JSON.stringify(text)} is no version`);
}

/** @throws {InvalidRequestError} */
export function readPhase(text: string): Phase {
  if (text === "running" || text === "tearingDown") return text;
  throw new InvalidRequestError(`phase ${JSON.stringify(text)} is no phase`);
}

/**
 * Reads the spec of a known kind: the protobuf form counts where the kind can read it, as it does for
 * COSI; else the YAML. A schema that is asynchronous makes this so.
 *
 * @throws {InvalidSpecError}
 */
export function knownSpec(
  metadata: Resource["metadata"],
  spec: WireSpec,
  { encoding, schema }: AnyResourceType,
): Resource | Promise<Resource> {
  const judged = (result: StandardSchemaV1.Result<unknown>): Resource => {
    if (result.issues === undefined) return { metadata, spec: result.value };
    const [issue] = result.issues;
    const path = (issue?.path ?? []).map((part) =>
      String(typeof part === "object" ? part.key : part),
    );
    const place = path.length === 0 ? "" : ` in ${path.join(".")}`;
    throw new InvalidSpecError(metadata, `has a spec that does not fit its kind${place}`);
  };
  const result = schema["~standard"].validate(decoded(metadata, spec, encoding));
  return result instanceof Promise ? result.then(judged) : judged(result);
}

function decoded(
  metadata: Resource["metadata"],
  { protoSpec, yamlSpec }: WireSpec,
  { decode }: AnyResourceType["encoding"],
): unknown {
  try {
    if (decode?.proto !== undefined && (protoSpec.length > 0 || yamlSpec === ""))
      return decode.proto(protoSpec);
    const value: unknown = parse(yamlSpec, { schema: "core" });
    return decode?.yaml === undefined ? value : decode.yaml(value);
  } catch (cause) {
    throw new InvalidSpecError(metadata, "has a spec that cannot be read", { cause });
  }
}

/**
 * Refuses an owner that is not the one in whose name a resource is created.
 *
 * @throws {InvalidRequestError}
 */
export function checkNewOwner({ metadata }: Resource, owner: string): void {
  if (metadata.owner !== "" && metadata.owner !== owner)
    throw new InvalidRequestError(
      `resource ${formatPointer(metadata)} names ${JSON.stringify(metadata.owner)} as its owner, ` +
        `the request ${JSON.stringify(owner)}`,
    );
}
