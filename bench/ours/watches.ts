/** What watches deliver; bench/go/watches.go does the same. */
import { filter, firstValueFrom, skip, take, toArray, type Observable } from "rxjs";
import type { EventType, Store, WatchEvent } from "#runtime/store";
import { Note, noteId } from "./note.ts";
import { create, each, fill, scattered, type Operation } from "./operations.ts";
import { timed } from "./timed.ts";

/** Watches the notes; to be awaited twice: until the watch is there, and until it saw `count` events. */
async function counting(store: Store, namespace: string, type: EventType, count: number) {
  let seen = 0;
  let isThere = () => {};
  const there = new Promise<void>((resolve) => (isThere = resolve));
  const done = new Promise<void>((resolve, reject) => {
    const subscription = watchOf(store, namespace).subscribe((event) => {
      if (event.type === "errored") reject(event.error);
      else if (event.type === "bootstrapped") isThere();
      else if (event.type === type && ++seen === count) {
        resolve();
        queueMicrotask(() => subscription.unsubscribe());
      }
    });
  });
  await Promise.race([there, done]);
  return { done };
}

const watchOf = (store: Store, namespace: string): Observable<WatchEvent> =>
  store.watchKind(Note, { bootstrapContents: true, namespace });

export const destroyWatched: Operation = async (store, namespace, { count, inFlight = 1 }) => {
  await fill(store, namespace, count);
  const watch = await counting(store, namespace, "destroyed", count);
  return timed(count, async () => {
    await each(inFlight, count, (i) => {
      const id = noteId(scattered(i, count));
      return store.destroy({ namespace, type: Note.type, id });
    });
    await watch.done;
  });
};

/** The events by which a watch tells what is there. */
export const watchContents: Operation = async (store, namespace, { count, items = 1 }) => {
  await fill(store, namespace, items);
  return timed(count * items, async () => {
    for (let i = 0; i < count; i++) {
      const contents = watchOf(store, namespace).pipe(
        filter(({ type }) => type === "created"),
        skip(items - 1),
        take(1),
        toArray(),
      );
      await firstValueFrom(contents);
    }
  });
};

/** The events of changes that reach several watchers while writers write. */
export const watchLive: Operation = async (store, namespace, size) => {
  const { count, watchers = 1 } = size;
  const watches = await Promise.all(
    Array.from({ length: watchers }, () => counting(store, namespace, "created", count)),
  );
  return timed(count * watchers, async () => {
    await create(store, namespace, size);
    await Promise.all(watches.map(({ done }) => done));
  });
};
