/**
 * Resources and their definitions: typed metadata around a frozen spec (cosi.md §1).
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Pointer } from "./errors.ts";
import type { Instant } from "./instant.ts";

type Atom = string | number | bigint | boolean | symbol | null | undefined | Uint8Array;

/** `T` with every property, element and entry read-only. */
export type DeepReadonly<T> = T extends Atom
  ? T
  : T extends (...args: never[]) => unknown
    ? T
    : T extends ReadonlyMap<infer K, infer V>
      ? ReadonlyMap<DeepReadonly<K>, DeepReadonly<V>>
      : T extends ReadonlySet<infer V>
        ? ReadonlySet<DeepReadonly<V>>
        : T extends object
          ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
          : T;

export type Phase = "running" | "tearingDown";

/** Everything about a resource but its spec. Frozen. */
export interface Metadata extends Pointer {
  /** 1 for a new resource, one more for each update; 0 means undefined, never stored. */
  readonly version: number;
  /** Name of the controller that owns it; empty when nobody does. */
  readonly owner: string;
  readonly phase: Phase;
  readonly created: Instant;
  readonly updated: Instant;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
}

/** A stored resource. Frozen: the same reference means that nothing changed. */
export interface Resource<Spec = unknown> {
  readonly metadata: Metadata;
  readonly spec: DeepReadonly<Spec>;
}

/** A column of `get` beyond the standard ones; `jsonPath` is of Kubernetes' dialect, on the spec. */
export interface PrintColumn {
  readonly name: string;
  readonly jsonPath: string;
}

export type Sensitivity = "sensitive" | "non-sensitive";

/** A function that is checked as a method is, so that a kind of any spec is a `ResourceType<unknown>`. */
type Encoder<Spec, Form> = { encode(spec: DeepReadonly<Spec>): Form }["encode"];

/** How a spec looks outside this process. What is left out is derived from the spec itself. */
export interface SpecEncoding<Spec> {
  /** `proto_spec`: the protobuf message of the kind, where one is known. */
  readonly proto?: Encoder<Spec, Uint8Array>;
  /** The value that `yaml_spec` is the YAML of. */
  readonly yaml?: Encoder<Spec, unknown>;
  /** How what comes from outside is read; without it the YAML value is the spec. The schema judges. */
  readonly decode?: {
    proto?(bytes: Uint8Array): unknown;
    yaml?(value: unknown): unknown;
  };
  /** Annotations that clients expect on the wire, though they are not stored. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Makes a spec of one schema version one of the next; the last result is held to the schema. */
export type SpecMigration = (spec: unknown) => unknown;

/** A kind of resource. Frozen. */
export interface ResourceType<Spec> {
  /** Full type, `Names.group.domain`. */
  readonly type: string;
  /** Default namespace. */
  readonly namespace: string;
  /** Explicit aliases; those of COSI's rules are added to them. */
  readonly aliases: readonly string[];
  readonly printColumns: readonly PrintColumn[];
  readonly sensitivity: Sensitivity;
  readonly schema: StandardSchemaV1<unknown, Spec>;
  readonly encoding: SpecEncoding<Spec>;
  /** Counts up when specs that are stored no longer fit the schema; the first is 1. */
  readonly schemaVersion: number;
  /** What makes a spec of a schema version one of the next. */
  readonly migrations: Readonly<Record<number, SpecMigration>>;
}

/** A kind of any spec. */
export type AnyResourceType = ResourceType<unknown>;

/** The type of a kind's spec. */
export type SpecOf<T> = T extends ResourceType<infer Spec> ? Spec : never;

interface Definition<Schema extends StandardSchemaV1> {
  readonly type: string;
  readonly namespace: string;
  readonly spec: Schema;
  readonly aliases?: readonly string[];
  readonly printColumns?: readonly PrintColumn[];
  /** Default `non-sensitive`. */
  readonly sensitivity?: Sensitivity;
  readonly encoding?: SpecEncoding<StandardSchemaV1.InferOutput<Schema>>;
  /** Default 1. */
  readonly schemaVersion?: number;
  /** By the version that they start from, one for each version before `schemaVersion`. */
  readonly migrations?: Readonly<Record<number, SpecMigration>>;
}

/**
 * Defines a kind; `spec` is any Standard Schema, and the TypeScript type is inferred from it.
 *
 * @throws {TypeError} when a migration from an earlier schema version is missing
 */
export function defineResource<Schema extends StandardSchemaV1>(
  definition: Definition<Schema>,
): ResourceType<StandardSchemaV1.InferOutput<Schema>> {
  const { schemaVersion = 1, migrations = {} } = definition;
  if (!Number.isSafeInteger(schemaVersion) || schemaVersion < 1)
    throw new TypeError(`${definition.type}: ${schemaVersion} is no schema version`);
  for (let from = 1; from < schemaVersion; from++) {
    if (typeof migrations[from] !== "function")
      throw new TypeError(`${definition.type}: no migration from schema version ${from}`);
  }
  return Object.freeze({
    type: definition.type,
    namespace: definition.namespace,
    aliases: Object.freeze([...(definition.aliases ?? [])]),
    printColumns: Object.freeze([...(definition.printColumns ?? [])]),
    sensitivity: definition.sensitivity ?? "non-sensitive",
    schema: definition.spec,
    encoding: Object.freeze({ ...definition.encoding }),
    schemaVersion,
    migrations: Object.freeze({ ...migrations }),
  });
}

/** The address of a kind's resource, in its default namespace unless one is given. */
export const pointerTo = (
  { type, namespace }: Pick<AnyResourceType, "type" | "namespace">,
  id: string,
): Pointer => ({ namespace, type, id });
