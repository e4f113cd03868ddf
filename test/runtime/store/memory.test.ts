import { expect, test } from "vitest";
import { config } from "rxjs";
import { openMemoryStore } from "#runtime/store";
import { storeConformance } from "./conformance.ts";
import { path, Path, record, spec } from "./conformance/suite.ts";

test.each(storeConformance)("memory: $name", async (property) => {
  await property.run(async (options) => openMemoryStore(options));
});

test("a subscriber that throws hurts neither the store nor the other subscribers", async () => {
  const thrown: unknown[] = [];
  config.onUnhandledError = (error) => thrown.push(error);
  try {
    await using store = openMemoryStore();
    const problem = new Error("in a subscriber");
    store.watchKind(Path).subscribe(() => {
      throw problem;
    });
    const other = record(store.watchKind(Path));
    await store.create(Path, "a", spec());
    await store.destroy(path("a"));
    expect(other.lines).toEqual(["created a@1", "destroyed a@1"]);
    await expect.poll(() => thrown).toEqual([problem, problem]); // rxjs reports at the next turn
  } finally {
    config.onUnhandledError = null;
  }
});

test("bookmarks go back as far as the event log, and no further", async () => {
  await using store = openMemoryStore({ eventLog: 10 });
  const watch = record(store.watchKind(Path, { bootstrapBookmark: true }));
  for (let i = 0; i < 50; i++)
    await store.modify(Path, "a", (draft) => void (draft.size += 1), { initial: spec() });
  const resume = (back: number) => {
    const event = watch.events.at(-1 - back);
    if (event?.type !== "updated" || !event.bookmark) throw new Error("no bookmark");
    return record(store.watchKind(Path, { startFromBookmark: event.bookmark }));
  };
  expect(resume(0).lines).toEqual([]);
  expect(resume(10).lines).toHaveLength(10);
  expect(resume(40).lines).toEqual(["errored ERR_INVALID_BOOKMARK"]);
});
