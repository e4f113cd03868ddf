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
import type { Resource } from "../resource.ts";
import { freezeJson } from "./json-value.ts";
import { metadataOf } from "./metadata.ts";
import type { Kind, Write } from "./store.ts";

/** The resource that a write is about. */
export const pointerOf = (write: Write): Pointer =>
  write.op === "destroy" ? write.pointer : write.resource.metadata;

/**
 * Applies one write to what is stored.
 *
 * @param kind that of the resource, whose texts a new resource shares
 * @returns the resource to store, frozen; nothing for a destroy
 * @throws {NotFoundError} {@link ConflictError} and its subclasses
 * @throws {TypeError} when the spec is not a JSON value or the address is not Unicode
 * @see cosi.md §2.2
 */
export function afterWrite(
  stored: Resource | undefined,
  write: Write,
  now: Instant,
  kind: Kind,
): Resource | undefined {
  switch (write.op) {
    case "create":
      return created(stored, write, now, kind);
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
  { namespace, type }: Kind,
): Resource {
  const { metadata, spec } = resource;
  if (stored !== undefined) throw new AlreadyExistsError(address(metadata));
  const { id } = metadata;
  if (!(namespace.isWellFormed() && type.isWellFormed() && id.isWellFormed()))
    throw new TypeError(`the address ${formatPointer(metadata)} has half a character in it`);
  checkSpec(resource, undefined);
  const set = { version: 1, owner, created: now, updated: now };
  return Object.freeze({ metadata: metadataOf({ namespace, type, id }, set, metadata), spec });
}

function updated(
  stored: Resource | undefined,
  { resource, owner = "", expectedPhase = "running" }: Write & { op: "update" },
  now: Instant,
): Resource {
  const { metadata, spec } = resource;
  if (stored === undefined) throw new NotFoundError(address(metadata));
  const current = stored.metadata;
  if (current.owner !== owner) throw new OwnerConflictError(address(current), current.owner);
  if (current.version !== metadata.version)
    throw new VersionConflictError(address(current), current.version, metadata.version);
  if (expectedPhase !== "any" && current.phase !== expectedPhase)
    throw new PhaseConflictError(address(current), expectedPhase);
  checkSpec(resource, stored.spec);
  const set = {
    version: current.version + 1,
    owner: metadata.owner === current.owner ? current.owner : metadata.owner,
    created: current.created,
    updated: now,
  };
  return Object.freeze({ metadata: metadataOf(current, set, metadata), spec });
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

/** @param known the spec that is stored, which was checked when it came */
function checkSpec({ metadata, spec }: Resource, known: unknown): void {
  const odd = freezeJson(spec, known);
  if (odd !== undefined)
    throw new TypeError(`spec${odd} of ${formatPointer(metadata)} is not a JSON value`);
}

const address = ({ namespace, type, id }: Pointer): Pointer => ({ namespace, type, id });
