/**
 * Metadata in one shape: every resource of a process has it from here, so that a million of them
 * cost no more than their own text.
 */
import type { Pointer } from "../errors.ts";
import type { Metadata } from "../resource.ts";

/** No labels and no annotations: one object for all who have none. */
export const noText: Metadata["labels"] = Object.freeze({});

/** No finalizers. */
export const noFinalizers: Metadata["finalizers"] = Object.freeze([]);

/** What the store sets. */
export type SetByStore = Pick<Metadata, "version" | "owner" | "created" | "updated">;

/** What is taken from whoever writes. */
export type SetByWriter = Pick<Metadata, "phase" | "labels" | "annotations" | "finalizers">;

/** Frozen metadata; a part that is frozen already is shared. */
export const metadataOf = (
  { namespace, type, id }: Pointer,
  { version, owner, created, updated }: SetByStore,
  { phase, labels, annotations, finalizers }: SetByWriter,
): Metadata =>
  Object.freeze({
    namespace,
    type,
    id,
    version,
    owner,
    phase,
    created,
    updated,
    labels: frozenMap(labels),
    annotations: frozenMap(annotations),
    finalizers: frozenSet(finalizers),
  });

function frozenMap(map: Metadata["labels"]): Metadata["labels"] {
  if (map === noText || Object.keys(map).length === 0) return noText;
  return Object.isFrozen(map) ? map : Object.freeze({ ...map });
}

/** A list without repetitions, as finalizers are a set that remembers its order. */
function frozenSet(list: readonly string[]): readonly string[] {
  if (list.length === 0) return noFinalizers;
  return list.length === 1 && Object.isFrozen(list) ? list : Object.freeze([...new Set(list)]);
}
