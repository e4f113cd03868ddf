/** The end of a resource: torn down, without finalizers, destroyed (cosi.md §2.3). */
import { NotFoundError, type Pointer } from "../errors.ts";
import { changedMetadata, edit } from "./edit.ts";
import type { CoreStore, Decide } from "./store.ts";
import { firstOf } from "./watch-for.ts";

/** Moves a resource to phase tearing down. @returns whether it can be destroyed */
export async function teardown(core: CoreStore, pointer: Pointer, owner: string): Promise<boolean> {
  const tearDown = changedMetadata(
    pointer,
    (draft) => {
      draft.phase = "tearingDown";
    },
    { owner },
  );
  const unlessDone: Decide = (stored) =>
    stored?.metadata.phase === "tearingDown" ? undefined : tearDown(stored);
  const { metadata } = await edit(core, pointer, unlessDone);
  return metadata.finalizers.length === 0;
}

/** Tears down, waits until the finalizers are gone, and destroys unless somebody else did. */
export async function teardownAndDestroy(
  core: CoreStore,
  pointer: Pointer,
  owner: string,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const ready = await teardown(core, pointer, owner);
  const state = ready ? "ready" : await released(core, pointer, signal);
  if (state === "gone") return;
  try {
    await core.commit([{ op: "destroy", pointer, owner }]);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
}

/**
 * A signal that is aborted when the resource is torn down, goes, or was never there; by another
 * signal, with its reason; and when the watch fails, with the error.
 */
export function teardownSignal(
  core: CoreStore,
  pointer: Pointer,
  signal?: AbortSignal,
): AbortSignal {
  const ended = new AbortController();
  const tornDown = firstOf(core.watch(pointer), signal, (event) =>
    event.type === "destroyed" ||
    ("resource" in event && event.resource.metadata.phase === "tearingDown")
      ? true
      : undefined,
  );
  tornDown.then(
    () => ended.abort(),
    (error: unknown) => ended.abort(error),
  );
  return signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
}

const released = (core: CoreStore, pointer: Pointer, signal?: AbortSignal) =>
  firstOf(core.watch(pointer), signal, (event) => {
    if (event.type === "destroyed") return "gone";
    if (event.type !== "created" && event.type !== "updated") return undefined;
    return event.resource.metadata.finalizers.length === 0 ? "ready" : undefined;
  });
