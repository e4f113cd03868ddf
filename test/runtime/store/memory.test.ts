import { expect, test } from "vitest";
import { config } from "rxjs";
import { storeConformance, storeSkips } from "#runtime/conformance";
import { openMemoryStore } from "#runtime/store";
import { path, Path, record, spec } from "../../../src/runtime/conformance/store/suite.ts";
import { conforms } from "./conforms.ts";

conforms("memory", async (options) => openMemoryStore(options), ["atomic", "sameProcess", "edit"]);

test("each case has a name of its own, and each test of COSI's without one a reason", () => {
  const names = storeConformance.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(storeSkips.filter(({ reason }) => reason === "")).toEqual([]);
  for (const { name, reason } of storeSkips) console.log(`not met: ${name}: ${reason}`);
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
