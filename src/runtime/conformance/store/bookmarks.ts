import assert from "node:assert/strict";
import type { Store } from "../../store/state.ts";
import type { WatchEvent } from "../../store/store.ts";
import { Other, path, Path, record, spec, type StoreCase } from "./suite.ts";

/** Some history, between that of others. */
async function live(store: Store): Promise<void> {
  await store.create(Path, "a", spec());
  await store.create(Other, "x", { size: 0 });
  await store.create(Path, "b", spec());
  await store.modify(Path, "a", (draft) => void (draft.size = 1));
  await store.destroy(path("b"));
  await store.teardown(path("a"));
}
const lived = [
  ...["created a@1", "created b@1", "updated a@2 was a@1", "destroyed b@1", "updated a@3 was a@2"],
];

const bookmarkOf = (event: WatchEvent | WatchEvent<never> | undefined) => {
  assert.ok(event && "bookmark" in event && event.bookmark);
  return event.bookmark;
};

/** Resumes from each of the events after the first few and finds exactly the rest. */
async function resume(store: Store, options: object, first: readonly string[]): Promise<void> {
  const watch = record(store.watchKind(Path, options));
  await live(store);
  await watch.shows(...first, ...lived);
  watch.stop();
  const lines = [...first, ...lived];
  for (const [i, event] of watch.events.entries()) {
    if (i < first.length - 1) continue;
    const startFromBookmark = bookmarkOf(event);
    const resumed = record(store.watchKind(Path, { startFromBookmark }));
    await resumed.news(...lines.slice(i + 1));
    await store.create(Path, `end-${i}`, spec());
    await resumed.news(`created end-${i}@1`);
    resumed.stop();
    await store.destroy(path(`end-${i}`));
    lines.push(`created end-${i}@1`, `destroyed end-${i}@1`);
  }
}

/** Bookmarks: cosi.md §2.6. */
export const bookmarks: readonly StoreCase[] = [
  {
    name: "a watch goes on from each bookmark after the contents (TestWatchKindWithBookmarks)",
    async run(open) {
      await using store = await open();
      await store.create(Path, "0", spec());
      await resume(store, { bootstrapContents: true }, ["created 0@1", "bootstrapped"]);
    },
  },
  {
    name: "a watch goes on from each bookmark after the one it began with",
    async run(open) {
      await using store = await open();
      await resume(store, { bootstrapBookmark: true }, ["noop"]);
    },
  },
  {
    name: "a watch that goes on sees the past through its query",
    async run(open) {
      await using store = await open();
      const watch = record(store.watchKind(Path, { bootstrapBookmark: true }));
      await live(store);
      await watch.shows("noop", ...lived);
      const startFromBookmark = bookmarkOf(watch.events[0]);
      const resumed = record(store.watchKind(Path, { startFromBookmark, query: { id: /b/ } }));
      await resumed.shows("created b@1", "destroyed b@1");
    },
  },
  {
    name: "the watch of one resource goes on from each bookmark (TestWatchWithBookmarks)",
    async run(open) {
      await using store = await open();
      const watch = record(store.watch(Path, "a"));
      await live(store);
      const lines = ["created a@1", "updated a@2 was a@1", "updated a@3 was a@2"];
      await watch.shows("destroyed a@0", ...lines);
      watch.stop();
      for (const [i, event] of watch.events.slice(1).entries()) {
        const resumed = record(store.watch(Path, "a", { startFromBookmark: bookmarkOf(event) }));
        await resumed.news(...lines.slice(i + 1));
        await store.modify(Path, "a", (draft) => void (draft.size += 1), { expectedPhase: "any" });
        const next = `updated a@${4 + i} was a@${3 + i}`;
        await resumed.news(next);
        resumed.stop();
        lines.push(next);
      }
    },
  },
  {
    name: "a bookmark that is changed, cut short, of the future or of another store is refused",
    async run(open) {
      await using store = await open();
      await using stranger = await open();
      const here = record(store.watchKind(Path, { bootstrapBookmark: true }));
      const there = record(stranger.watchKind(Path, { bootstrapBookmark: true }));
      await here.shows("noop");
      await there.shows("noop");
      const good = bookmarkOf(here.events[0]);
      const flipped = good.with(0, (good[0] ?? 0) ^ 1);
      const future = good.with(good.length - 2, 1);
      const foreign = bookmarkOf(there.events[0]);
      for (const bad of [flipped, future, foreign, good.subarray(1), new Uint8Array(0)]) {
        for (const watch of [
          record(store.watchKind(Path, { startFromBookmark: bad })),
          record(store.watch(Path, "a", { startFromBookmark: bad })),
        ]) {
          await store.modify(Path, "a", (draft) => void (draft.size += 1), { initial: spec() });
          await watch.ends("errored ERR_INVALID_BOOKMARK");
        }
      }
    },
  },
  {
    name: "a watch begins in one way only",
    async run(open) {
      await using store = await open();
      const startFromBookmark = new Uint8Array(24);
      for (const options of [
        { bootstrapContents: true, startFromBookmark },
        { bootstrapContents: true, tailEvents: 1 },
        { tailEvents: 1, startFromBookmark },
        { tailEvents: -1 },
        { tailEvents: 0.5 },
      ])
        assert.throws(() => store.watchKind(Path, options), TypeError);
      assert.throws(() => store.watch(Path, "a", { tailEvents: 1, startFromBookmark }), TypeError);
    },
  },
];
