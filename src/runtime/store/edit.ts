/** Changes that are based on what is stored: decided in the store, or read, decided and retried. */
import { produce } from "immer";
import {
  AlreadyExistsError,
  NotFoundError,
  PhaseConflictError,
  VersionConflictError,
  type Pointer,
} from "../errors.ts";
import { instantOf } from "../instant.ts";
import type { Metadata, Phase, Resource } from "../resource.ts";
import { equalJson } from "./json-value.ts";
import { noFinalizers, noText } from "./metadata.ts";
import type { CoreStore, Decide, Write } from "./store.ts";

/** Somebody wins each race, so only a store in great demand is given up. */
const TRIES_MAX = 100;

/** The part of the metadata that can be changed. */
export interface MetadataDraft {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  finalizers: string[];
  phase: Phase;
}

interface Conditions {
  readonly owner?: string;
  readonly expectedPhase?: Phase | "any";
}

/**
 * Commits what `decide` makes of the stored resource.
 *
 * @returns the resource after that, or as it was when there was nothing to do
 * @throws {NotFoundError} {@link ConflictError} and its subclasses
 */
export async function edit(core: CoreStore, pointer: Pointer, decide: Decide): Promise<Resource> {
  const resource = core.edit
    ? await core.edit(pointer, decide)
    : await editByTrying(core, pointer, decide);
  if (resource === undefined) throw new NotFoundError(pointer);
  return resource;
}

async function editByTrying(
  core: CoreStore,
  pointer: Pointer,
  decide: Decide,
): Promise<Resource | undefined> {
  for (let tries = 1; ; tries++) {
    const stored = await core.get(pointer);
    const write = decide(stored);
    if (write === undefined) return stored;
    try {
      return (await core.commit([write]))[0];
    } catch (error) {
      const raced = error instanceof VersionConflictError || lostCreation(write, error);
      if (!raced || tries === TRIES_MAX) throw error;
    }
  }
}

const lostCreation = (write: Write, error: unknown): boolean =>
  write.op === "create" && error instanceof AlreadyExistsError;

/** Applies a recipe to the spec, or to that of `missing` when nothing is stored. */
export const changedSpec =
  (
    pointer: Pointer,
    recipe: (draft: unknown) => unknown,
    conditions: Conditions,
    missing: Resource | undefined,
  ): Decide =>
  (stored) => {
    if (stored === undefined && missing !== undefined) {
      const resource = { ...missing, spec: produce(missing.spec, recipe) };
      return { op: "create", resource, owner: conditions.owner ?? "" };
    }
    const current = checked(pointer, stored, conditions);
    const spec = produce(current.spec, recipe);
    if (equalJson(spec, current.spec)) return undefined;
    return {
      op: "update",
      resource: { metadata: current.metadata, spec },
      ...conditionsOf(conditions),
    };
  };

/** Applies a recipe to labels, annotations, finalizers and phase. */
export const changedMetadata =
  (pointer: Pointer, recipe: (draft: MetadataDraft) => void, conditions: Conditions): Decide =>
  (stored) => {
    const { metadata, spec } = checked(pointer, stored, conditions);
    const { labels, annotations, finalizers, phase } = metadata;
    const part = { labels, annotations, finalizers, phase };
    const changed = produce(part, (draft) => {
      recipe(draft);
    });
    if (changed === part || isSame(changed, part)) return undefined;
    const resource = { metadata: { ...metadata, ...changed }, spec };
    return { op: "update", resource, ...conditionsOf(conditions) };
  };

type Part = Pick<Metadata, "labels" | "annotations" | "finalizers" | "phase">;

/** Finalizers are a set, so their order is no difference (cosi.md §1.2). */
const isSame = (left: Part, right: Part): boolean =>
  left.phase === right.phase &&
  equalJson(left.labels, right.labels) &&
  equalJson(left.annotations, right.annotations) &&
  left.finalizers.every((finalizer) => right.finalizers.includes(finalizer)) &&
  right.finalizers.every((finalizer) => left.finalizers.includes(finalizer));

/** Adds finalizers in the name of whoever owns the resource. */
export const addedTo = (pointer: Pointer, finalizers: readonly string[]): Decide =>
  changedFinalizers(pointer, (held) => [
    ...held,
    ...finalizers.filter((finalizer) => !held.includes(finalizer)),
  ]);

/** Drops finalizers in the name of whoever owns the resource. */
export const droppedFrom = (pointer: Pointer, finalizers: readonly string[]): Decide =>
  changedFinalizers(pointer, (held) => held.filter((finalizer) => !finalizers.includes(finalizer)));

const changedFinalizers =
  (pointer: Pointer, change: (held: readonly string[]) => readonly string[]): Decide =>
  (stored) => {
    const { metadata, spec } = checked(pointer, stored, { expectedPhase: "any" });
    const finalizers = change(metadata.finalizers);
    if (finalizers.length === metadata.finalizers.length) return undefined;
    const resource = { metadata: { ...metadata, finalizers }, spec };
    return { op: "update", resource, owner: metadata.owner, expectedPhase: "any" };
  };

/** Refuses the wrong phase even where nothing would be written, as COSI does. */
function checked(
  pointer: Pointer,
  stored: Resource | undefined,
  { expectedPhase = "running" }: Conditions,
): Resource {
  if (stored === undefined) throw new NotFoundError(pointer);
  if (expectedPhase !== "any" && stored.metadata.phase !== expectedPhase)
    throw new PhaseConflictError(pointer, expectedPhase);
  return stored;
}

const conditionsOf = ({ owner = "", expectedPhase = "running" }: Conditions) => ({
  owner,
  expectedPhase,
});

/** A running resource that no store has seen yet. */
export const unstored = (
  pointer: Pointer,
  spec: Resource["spec"],
  {
    labels = noText,
    annotations = noText,
    finalizers = noFinalizers,
  }: Partial<Pick<Metadata, "labels" | "annotations" | "finalizers">>,
): Resource => ({
  metadata: {
    ...pointer,
    version: 0,
    owner: "",
    phase: "running",
    created: instantOf(0),
    updated: instantOf(0),
    labels,
    annotations,
    finalizers,
  },
  spec,
});
