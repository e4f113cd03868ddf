/** What a write needs and what it makes of a resource: the same for every store of this process. */
import {
  AlreadyExistsError,
  formatPointer,
  NotFoundError,
  OwnerConflictError,
  PendingFinalizersError,
  PhaseConflictError,
  VersionConflictError,
  type Pointer,
} from "../errors.ts";
import type { Instant } from "../instant.ts";
import type { Metadata, Resource } from "../resource.ts";
import { freezeJson } from "./json-value.ts";
import type { Write } from "./store.ts";

/** The resource that a write is about. */
export const pointerOf = (write: Write): Pointer =>
  write.op === "destroy" ? write.pointer : write.resource.metadata;

/**
 * Applies one write to what is stored.
 *
 * @returns the resource to store, frozen; nothing for a destroy
 * @throws {NotFoundError} {@link ConflictError} and its subclasses
 * @throws {TypeError} when the spec is not a JSON value or the address is not Unicode
 * @see cosi.md §2.2
 */
export function afterWrite(
  stored: Resource | undefined,
  write: Write,
  now: Instant,
): Resource | undefined {
  switch (write.op) {
    case "create":
      return created(stored, write, now);
    case "update":
      return updated(stored, write, now);
    case "destroy":
      checkDestroy(stored, write);
      return undefined;
  }
}

function created(
  stored: Resource | undefined,
  { resource, owner = "" }: Write & { op: "create" },
  now: Instant,
): Resource {
  const { metadata } = resource;
  if (stored !== undefined) throw new AlreadyExistsError(address(metadata));
  const { namespace, type, id } = metadata;
  if (!(namespace.isWellFormed() && type.isWellFormed() && id.isWellFormed()))
    throw new TypeError(`the address ${formatPointer(metadata)} has half a character in it`);
  checkSpec(resource);
  return frozen(resource, { version: 1, owner, created: now, updated: now });
}

function updated(
  stored: Resource | undefined,
  { resource, owner = "", expectedPhase = "running" }: Write & { op: "update" },
  now: Instant,
): Resource {
  const { metadata } = resource;
  if (stored === undefined) throw new NotFoundError(address(metadata));
  const current = stored.metadata;
  if (current.owner !== owner) throw new OwnerConflictError(address(current), current.owner);
  if (current.version !== metadata.version)
    throw new VersionConflictError(address(current), current.version, metadata.version);
  if (expectedPhase !== "any" && current.phase !== expectedPhase)
    throw new PhaseConflictError(address(current), expectedPhase);
  if (resource.spec !== stored.spec) checkSpec(resource);
  return frozen(resource, {
    version: current.version + 1,
    owner: metadata.owner,
    created: current.created,
    updated: now,
  });
}

function checkDestroy(
  stored: Resource | undefined,
  { pointer, owner = "", version }: Write & { op: "destroy" },
): void {
  if (stored === undefined) throw new NotFoundError(address(pointer));
  const current = stored.metadata;
  if (current.owner !== owner) throw new OwnerConflictError(address(current), current.owner);
  if (version !== undefined && current.version !== version)
    throw new VersionConflictError(address(current), current.version, version);
  if (current.finalizers.length > 0)
    throw new PendingFinalizersError(address(current), current.finalizers);
}

function checkSpec({ metadata, spec }: Resource): void {
  const odd = freezeJson(spec);
  if (odd !== undefined)
    throw new TypeError(`spec${odd} of ${formatPointer(metadata)} is not a JSON value`);
}

const address = ({ namespace, type, id }: Pointer): Pointer => ({ namespace, type, id });

function frozen(
  { metadata, spec }: Resource,
  set: Pick<Metadata, "version" | "owner" | "created" | "updated">,
): Resource {
  const { namespace, type, id, phase, labels, annotations, finalizers } = metadata;
  return Object.freeze({
    metadata: Object.freeze({
      namespace,
      type,
      id,
      version: set.version,
      owner: set.owner,
      phase,
      created: set.created,
      updated: set.updated,
      labels: frozenMap(labels),
      annotations: frozenMap(annotations),
      finalizers: frozenSet(finalizers),
    }),
    spec,
  });
}

const frozenMap = (map: Metadata["labels"]): Metadata["labels"] =>
  Object.isFrozen(map) ? map : Object.freeze({ ...map });

/** A list without repetitions, as finalizers are a set that remembers its order. */
const frozenSet = (list: readonly string[]): readonly string[] =>
  Object.isFrozen(list) && list.length < 2 ? list : Object.freeze([...new Set(list)]);
