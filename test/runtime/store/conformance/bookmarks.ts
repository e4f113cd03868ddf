import assert from "node:assert/strict";
import type { Store, WatchEvent } from "#runtime/store";
import { Other, path, Path, record, spec, type Case } from "./suite.ts";

/** Some history, between that of others. */
async function live(store: Store): Promise<void> {
  await store.create(Path, "a", spec());
  await store.create(Other, "x", { size: 0 });
  await store.create(Path, "b", spec());
  await store.modify(Path, "a", (draft) => void (draft.size = 1));
  await store.destroy(path("b"));
  await store.teardown(path("a"));
}

const bookmarkOf = (event: WatchEvent | WatchEvent<never> | undefined) => {
  assert.ok(event && "bookmark" in event && event.bookmark);
  return event.bookmark;
};

/** Resumes from each of the events and finds exactly the rest. */
async function resume(store: Store, options: object, first: number): Promise<void> {
  const watch = record(store.watchKind(Path, options));
  await live(store);
  watch.stop();
  const { events, lines } = watch;
  for (let i = first; i < events.length; i++) {
    const startFromBookmark = bookmarkOf(events[i]);
    const resumed = record(store.watchKind(Path, { startFromBookmark }));
    assert.deepEqual(resumed.lines, lines.slice(i + 1));
    await store.create(Path, `end-${i}`, spec());
    assert.deepEqual(resumed.lines, [...lines.slice(i + 1), `created end-${i}@1`]);
    await store.destroy(path(`end-${i}`));
    lines.push(`created end-${i}@1`, `destroyed end-${i}@1`);
  }
}

/** Bookmarks: cosi.md §2.6. */
export const bookmarks: readonly Case[] = [
  {
    name: "a watch goes on from each bookmark after the contents (TestWatchKindWithBookmarks)",
    async run(open) {
      await using store = await open();
      await store.create(Path, "0", spec());
      await resume(store, { bootstrapContents: true }, 1);
    },
  },
  {
    name: "a watch goes on from each bookmark after the one it began with",
    async run(open) {
      await using store = await open();
      await resume(store, { bootstrapBookmark: true }, 0);
    },
  },
  {
    name: "a watch that goes on sees the past through its query",
    async run(open) {
      await using store = await open();
      const watch = record(store.watchKind(Path, { bootstrapBookmark: true }));
      await live(store);
      const startFromBookmark = bookmarkOf(watch.events[0]);
      const resumed = record(store.watchKind(Path, { startFromBookmark, query: { id: /b/ } }));
      assert.deepEqual(resumed.lines, ["created b@1", "destroyed b@1"]);
    },
  },
  {
    name: "every event after the first of a watch has a bookmark (TestWatchWithBookmarks)",
    async run(open) {
      await using store = await open();
      const watch = record(store.watch(Path, "a"));
      await live(store);
      assert.equal(watch.events.length, 4);
      for (const event of watch.events.slice(1)) bookmarkOf(event);
    },
  },
  {
    name: "a bookmark that is changed, cut short, of the future or of another store is refused",
    async run(open) {
      await using store = await open();
      await using stranger = await open();
      const here = record(store.watchKind(Path, { bootstrapBookmark: true }));
      const there = record(stranger.watchKind(Path, { bootstrapBookmark: true }));
      const good = bookmarkOf(here.events[0]);
      const flipped = good.with(0, (good[0] ?? 0) ^ 1);
      const future = good.with(good.length - 2, 1);
      const foreign = bookmarkOf(there.events[0]);
      for (const bad of [flipped, future, foreign, good.subarray(1), new Uint8Array(0)]) {
        const watch = record(store.watchKind(Path, { startFromBookmark: bad }));
        await store.modify(Path, "a", (draft) => void (draft.size += 1), { initial: spec() });
        assert.deepEqual(watch.lines, ["errored ERR_INVALID_BOOKMARK"]);
        assert.equal(watch.ended, true);
      }
    },
  },
  {
    name: "a watch begins with the contents or at a bookmark",
    async run(open) {
      await using store = await open();
      const options = { bootstrapContents: true, startFromBookmark: new Uint8Array(24) };
      assert.throws(() => store.watchKind(Path, options), TypeError);
    },
  },
];
