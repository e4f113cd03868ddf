/** Which form specs have on disk: schema versions of kinds, and migrations from older ones. */
import type { AnyResourceType, Resource } from "../../resource.ts";
import { freezeJson } from "../json-value.ts";

/** What a store knows of the kinds in it. */
export class KnownKinds {
  readonly #byType: ReadonlyMap<string, AnyResourceType>;
  /** The newest schema versions of the types that are not known. */
  readonly #seen = new Map<string, number>();

  constructor(kinds: readonly AnyResourceType[]) {
    this.#byType = new Map(kinds.map((kind) => [kind.type, kind]));
  }

  /** The schema version that specs of a type are written in. */
  versionOf(type: string): number {
    return this.#byType.get(type)?.schemaVersion ?? this.#seen.get(type) ?? 1;
  }

  /** @throws {TypeError} when specs of the kind would be written down as of another version */
  check({ type, schemaVersion }: Pick<AnyResourceType, "type" | "schemaVersion">): void {
    const version = this.versionOf(type);
    if (version !== schemaVersion)
      throw new TypeError(
        `${type} has schema version ${schemaVersion}, the store writes version ${version}: give the ` +
          "kind to the store where it is opened",
      );
  }

  /**
   * Brings a spec to the schema version of its kind, and holds it to the schema.
   *
   * @returns the same resource when it has that version already
   * @throws {Error} that says why it is refused, and not what is in it
   * @throws {TypeError} when the schema of the kind answers later
   */
  current(resource: Resource, version: number): Resource {
    const kind = this.#byType.get(resource.metadata.type);
    if (kind === undefined) {
      this.#seen.set(
        resource.metadata.type,
        Math.max(version, this.#seen.get(resource.metadata.type) ?? 1),
      );
      return resource;
    }
    if (version > kind.schemaVersion)
      throw new Error(
        `the spec has schema version ${version}, this program knows versions up to ` +
          `${kind.schemaVersion}: use the newer program that wrote it`,
      );
    const spec = validated(kind, migrated(kind, resource.spec, version));
    if (version === kind.schemaVersion) return resource;
    const odd = freezeJson(spec);
    if (odd !== undefined) throw new Error(`spec${odd} is not a JSON value after its migration`);
    return Object.freeze({ metadata: resource.metadata, spec });
  }
}

function migrated(kind: AnyResourceType, spec: unknown, version: number): unknown {
  let form = version === kind.schemaVersion ? spec : structuredClone(spec);
  for (let from = version; from < kind.schemaVersion; from++) {
    try {
      form = kind.migrations[from]?.(form);
    } catch (cause) {
      throw new Error(`the migration from schema version ${from} failed`, { cause });
    }
  }
  return form;
}

function validated(kind: AnyResourceType, spec: unknown): unknown {
  const result = answerOf(kind, spec);
  if (result instanceof Promise)
    throw new TypeError(`the schema of ${kind.type} answers later: a store cannot wait for it`);
  if (result.issues === undefined) return result.value;
  const [issue] = result.issues;
  const path = (issue?.path ?? []).map((part) => {
    const key = typeof part === "object" ? part.key : part;
    return typeof key === "number" ? `[${key}]` : `.${String(key)}`;
  });
  throw new Error(`spec${path.join("")} does not fit the schema of the kind`);
}

function answerOf({ schema }: AnyResourceType, spec: unknown) {
  try {
    return schema["~standard"].validate(spec);
  } catch (cause) {
    throw new Error("the schema of the kind failed", { cause });
  }
}
