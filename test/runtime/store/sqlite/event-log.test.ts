/** What a store in a file remembers of its past, and what it forgets. */
import { expect, test } from "vitest";
import { after, at, manualClock, minutes, seconds } from "#runtime";
import { openSqliteStore, type Bookmark, type SqliteStore } from "#runtime/store";
import {
  Other,
  path,
  Path,
  record,
  spec,
} from "../../../../src/runtime/conformance/store/suite.ts";
import { freshPath } from "./fresh-path.ts";
import { rowsOf, tamper } from "./tampering.ts";

/** The bookmarks of all that comes, by the position of the event. */
function bookmarksOf(store: SqliteStore): Bookmark[] {
  const bookmarks: Bookmark[] = [];
  store.watchKind(Path, { bootstrapBookmark: true }).subscribe((event) => {
    if (event.type !== "errored" && event.bookmark) bookmarks.push(event.bookmark);
  });
  return bookmarks;
}

const grow = (store: SqliteStore) =>
  store.modify(Path, "a", (draft) => void (draft.size += 1), { initial: spec() });

const linesFrom = (store: SqliteStore, startFromBookmark: Bookmark | undefined) => {
  if (!startFromBookmark) throw new TypeError("there is no such bookmark");
  return record(store.watchKind(Path, { startFromBookmark })).lines;
};

const eventsIn = async (file: string) => {
  const [row] = await rowsOf(file, "SELECT count(*) AS n, max(position) AS head FROM events");
  return { count: Number(row?.n), head: Number(row?.head) };
};

test("the event log is compacted while the store is used", async () => {
  const file = freshPath();
  const store = await openSqliteStore({ path: file, eventLog: 50 });
  const bookmarks = bookmarksOf(store);
  for (let i = 0; i < 400; i++) await grow(store);
  expect(linesFrom(store, bookmarks[350])).toHaveLength(50);
  expect(linesFrom(store, bookmarks[200])).toEqual(["errored ERR_INVALID_BOOKMARK"]);
  await store.close();
  const { count, head } = await eventsIn(file);
  expect(head).toBe(400);
  expect(count).toBeGreaterThanOrEqual(50);
  expect(count).toBeLessThan(150);
});

test("few events stay however old they are, and young ones however many", async () => {
  const file = freshPath();
  const clock = manualClock(at("2030-01-01"));
  const options = { path: file, clock, eventLog: { events: 50, age: minutes(10) } };
  const store = await openSqliteStore(options);
  const bookmarks = bookmarksOf(store);
  for (let i = 0; i < 500; i++) {
    await grow(store);
    clock.stepTo(after(clock.now(), seconds(1)));
  }
  expect(linesFrom(store, bookmarks[0])).toHaveLength(500); // none is ten minutes old
  for (let i = 0; i < 400; i++) {
    await grow(store);
    clock.stepTo(after(clock.now(), seconds(1)));
  }
  // After 900 s those of the first 300 s have their age; they go a hundred or so at a time.
  expect(linesFrom(store, bookmarks[300])).toHaveLength(600);
  expect(linesFrom(store, bookmarks[150])).toEqual(["errored ERR_INVALID_BOOKMARK"]);
  clock.stepTo(after(clock.now(), minutes(60)));
  for (let i = 0; i < 10; i++) await grow(store);
  await store.close();
  const { count, head } = await eventsIn(file);
  expect(head).toBe(910);
  expect(count).toBeGreaterThanOrEqual(50);
  expect(count).toBeLessThan(150);
  await using again = await openSqliteStore(options);
  expect(linesFrom(again, bookmarks[860])).toHaveLength(50);
  expect(linesFrom(again, bookmarks[300])).toEqual(["errored ERR_INVALID_BOOKMARK"]);
});

test.each([{ events: 0 }, { age: -1 }, { events: NaN }])(
  "a log of %o makes no sense",
  async (eventLog) => {
    await expect(openSqliteStore({ path: freshPath(), eventLog })).rejects.toThrow(TypeError);
  },
);

test("tail events come from the file where memory does not go back as far", async () => {
  const file = freshPath();
  const store = await openSqliteStore({ path: file });
  for (let i = 0; i < 5; i++) await grow(store);
  await store.create(Path, "b", spec());
  await store.create(Other, "a", { size: 0 });
  await store.close();
  await using again = await openSqliteStore({ path: file });
  await again.destroy(path("a"));
  const all = record(again.watchKind(Path, { tailEvents: 1000 }));
  expect(all.lines).toEqual([
    ...["created a@1", "updated a@2 was a@1", "updated a@3 was a@2", "updated a@4 was a@3"],
    ...["updated a@5 was a@4", "created b@1", "destroyed a@5"],
  ]);
  expect(record(again.watchKind(Path, { tailEvents: 2 })).lines).toEqual(all.lines.slice(-2));
  const ofOne = record(again.watch(Path, "a", { tailEvents: 3 }));
  expect(ofOne.lines).toEqual(["updated a@4 was a@3", "updated a@5 was a@4", "destroyed a@5"]);
});

test.each([
  ["cannot be read", "UPDATE events SET after = '?' WHERE position = 2"],
  ["is missing", "DELETE FROM events WHERE position = 2"],
])("bookmarks from before an event that %s are refused", async (_, statement) => {
  const file = freshPath();
  const bookmarks: Bookmark[] = [];
  const store = await openSqliteStore({ path: file });
  store.watchKind(Path).subscribe((event) => {
    if (event.type !== "errored" && event.bookmark) bookmarks.push(event.bookmark);
  });
  for (const id of ["a", "b", "c", "d"]) await store.create(Path, id, spec());
  await store.close();
  await tamper(file, statement);
  await using again = await openSqliteStore({ path: file });
  const resume = (index: number) =>
    record(again.watchKind(Path, { startFromBookmark: bookmarks[index]! })).lines;
  expect(resume(0)).toEqual(["errored ERR_INVALID_BOOKMARK"]);
  expect(resume(1)).toEqual(["created c@1", "created d@1"]);
  expect(resume(3)).toEqual([]);
});
