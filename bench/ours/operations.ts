/** What is done to a store, timed; bench/go/operations.go and stores.go do the same. */
import { join } from "node:path";
import { systemClock } from "#runtime";
import { openMemoryStore, openSqliteStore, type Store } from "#runtime/store";

import { openRemoteStore } from "#runtime/store/remote";
import type { Size, Task, Workload } from "../size.ts";
import { perSecond, timed, type Timed } from "./timed.ts";
import { FIRST_REVISION, Note, noteId, noteSpec, noteSpecs } from "./note.ts";

/** Does something to a store, in a namespace of its own. */
export type Operation = (store: Store, namespace: string, size: Size) => Promise<Timed>;

function open({ store, directory, address }: Task): Store | Promise<Store> {
  if (store === "memory") return openMemoryStore();
  if (store === "sqlite" && directory !== undefined)
    return openSqliteStore({ path: join(directory, "ours.db"), kinds: [Note] });
  if (store === "remote" && address !== undefined)
    return openRemoteStore({ address, kinds: [Note], clock: systemClock });
  throw new TypeError(`a store of ${String(store)} cannot be opened`);
}

/** Runs an operation to warm up, and then to measure. */
export const onStore =
  (operation: Operation): Workload =>
  async (task) => {
    await using store = await open(task);
    const { warmup = 0, items = 0 } = task;
    if (warmup > 0)
      await operation(store, "warmup", { ...task, count: warmup, items: Math.min(items, warmup) });
    return perSecond(await operation(store, "bench", task));
  };

/** Calls `work` for 0 to `count - 1`, so many at a time. */
export async function each(
  inFlight: number,
  count: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

/** As many as on Go's side. */
const FILLERS = 32;

/** Makes the notes that are there before anything is measured. */
export const fill = (store: Store, namespace: string, items: number) =>
  each(FILLERS, items, (i) => store.create(Note, noteId(i), noteSpec(i), { namespace }));

/** Visits the items in another order than that of their ids. */
export const scattered = (index: number, items: number) => (index * 7919) % items;

export const create: Operation = async (store, namespace, { count, inFlight = 1 }) => {
  const specs = noteSpecs(count);
  return timed(count, () =>
    each(inFlight, count, (i) => store.create(Note, noteId(i), specs[i]!, { namespace })),
  );
};

export const get: Operation = async (store, namespace, { count, items = 1, inFlight = 1 }) => {
  await fill(store, namespace, items);
  return timed(count, () =>
    each(inFlight, count, (i) => store.get(Note, noteId(scattered(i, items)), { namespace })),
  );
};

export const update: Operation = async (store, namespace, { count, items = 1, inFlight = 1 }) => {
  await fill(store, namespace, items);
  return timed(count, () =>
    each(inFlight, count, (i) => touch(store, namespace, scattered(i, items))),
  );
};

/** Reads, changes and writes one note unless somebody else was faster. */
export const touch = (store: Store, namespace: string, index: number) =>
  store.modify(Note, noteId(index), (draft) => void (draft.revision += 1), { namespace });

export const list: Operation = async (store, namespace, { count, items = 1 }) => {
  await fill(store, namespace, items);
  return timed(count * items, async () => {
    for (let i = 0; i < count; i++) {
      let revisions = 0;
      for (const { spec } of await store.list(Note, { namespace })) revisions += spec.revision;
      if (revisions !== items * FIRST_REVISION) throw new Error("not all notes were listed");
    }
  });
};
