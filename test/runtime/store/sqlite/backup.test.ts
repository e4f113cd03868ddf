/** Copies of a store, and stores from copies. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { openSqliteStore, restoreSqliteStore, type Bookmark } from "#runtime/store";
import { Path, record, spec } from "../../../../src/runtime/conformance/store/suite.ts";
import { freshPath } from "./fresh-path.ts";
import { tamper } from "./tampering.ts";

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const beside = (path: string, name: string) => join(dirname(path), name);
const idsIn = async (path: string) => {
  await using store = await openSqliteStore({ path });
  return (await store.list(Path)).map(({ metadata }) => metadata.id);
};

test("a backup is made while the store is written to, and has all that was acknowledged", async () => {
  const path = freshPath();
  const copy = beside(path, "copy.db");
  const umask = process.umask(0);
  const acknowledged: string[] = [];
  try {
    await using store = await openSqliteStore({ path });
    for (let i = 0; i < 300; i++)
      await store.create(Path, `before-${i}`, spec(i, ["x".repeat(999)]));
    let copying = true;
    const write = async (writer: number) => {
      for (let i = 0; copying; i++) {
        await store.create(Path, `${writer}-${i}`, spec(i, ["x".repeat(999)]));
        acknowledged.push(`${writer}-${i}`);
        await new Promise<void>((resolve) => void setImmediate(resolve));
      }
    };
    const writers = [0, 1, 2].map(write);
    await store.backup(copy);
    copying = false;
    await Promise.all(writers);
    await store.create(Path, "after", spec());
  } finally {
    process.umask(umask);
  }
  expect(modeOf(copy)).toBe("600");
  expect(readdirSync(dirname(path)).sort()).toEqual(["copy.db", "store.db"]);
  const copied = new Set(await idsIn(copy));
  for (let i = 0; i < 300; i++) expect(copied.has(`before-${i}`)).toBe(true);
  expect(copied.has("after")).toBe(false);
  // No writer of the copy is ahead of its own earlier writes.
  for (const id of copied) {
    const [writer, number] = id.split("-");
    if (writer !== "before" && Number(number) > 0)
      expect(copied.has(`${writer}-${Number(number) - 1}`)).toBe(true);
  }
  expect(acknowledged.length).toBeGreaterThan(3);
});

test("a backup takes the place of nothing, and leaves nothing half done", async () => {
  const path = freshPath();
  await using store = await openSqliteStore({ path });
  await store.create(Path, "a", spec());
  const taken = beside(path, "taken");
  writeFileSync(taken, "mine");
  await expect(store.backup(taken)).rejects.toMatchObject({ code: "ERR_STORE_EXISTS" });
  await expect(store.backup(path)).rejects.toMatchObject({ code: "ERR_STORE_EXISTS" });
  expect(readFileSync(taken, "utf8")).toBe("mine");
  await expect(store.backup(beside(path, "missing/copy"))).rejects.toMatchObject({
    code: "ENOENT",
  });
  const copy = beside(path, "copy");
  const [first, second] = await Promise.allSettled([store.backup(copy), store.backup(copy)]);
  expect(first.status).toBe("fulfilled");
  expect(second).toMatchObject({ status: "rejected", reason: { code: "ERR_STORE_EXISTS" } });
  await store.close();
  const late = beside(path, "late");
  await expect(store.backup(late)).rejects.toMatchObject({ code: "ERR_STORE_CLOSED" });
  expect(existsSync(late) || existsSync(`${late}.partial`)).toBe(false);
  expect(await idsIn(copy)).toEqual(["a"]);
});

/** A store with a history, a backup of it, and what was written after that. */
async function copied() {
  const path = freshPath();
  const copy = beside(path, "copy.db");
  const bookmarks: Bookmark[] = [];
  await using store = await openSqliteStore({ path });
  store.watchKind(Path).subscribe((event) => {
    if (event.type !== "errored" && event.bookmark) bookmarks.push(event.bookmark);
  });
  await store.create(Path, "a", spec(1));
  await store.create(Path, "b", spec(2), { owner: "one", finalizers: ["f"] });
  await store.backup(copy);
  await store.create(Path, "c", spec(3));
  return { path, copy, bookmarks };
}

test("a store is restored as it was, in a directory of its own", async () => {
  const { copy } = await copied();
  const to = freshPath();
  const umask = process.umask(0);
  chmodSync(copy, 0o644);
  try {
    await restoreSqliteStore({ from: copy, to });
  } finally {
    process.umask(umask);
  }
  expect([modeOf(to), modeOf(dirname(to)), modeOf(copy)]).toEqual(["600", "700", "644"]);
  expect(readdirSync(dirname(to))).toEqual(["store.db"]);
  await using store = await openSqliteStore({ path: to });
  const [a, b, ...others] = await store.list(Path);
  expect([a?.spec, b?.spec, others]).toEqual([spec(1), spec(2), []]);
  expect(b?.metadata).toMatchObject({ owner: "one", finalizers: ["f"], version: 1 });
});

test("bookmarks of the store that was are refused by the one that is restored", async () => {
  const { copy, bookmarks } = await copied();
  const to = freshPath();
  await restoreSqliteStore({ from: copy, to });
  await using store = await openSqliteStore({ path: to });
  await store.create(Path, "d", spec()); // where "c" stood in the other history
  for (const startFromBookmark of bookmarks)
    expect(record(store.watchKind(Path, { startFromBookmark })).lines).toEqual([
      "errored ERR_INVALID_BOOKMARK",
    ]);
});

test("nothing is restored over a file, nor beside what one has left", async () => {
  const { path, copy } = await copied();
  const code = { code: "ERR_STORE_EXISTS" };
  await expect(restoreSqliteStore({ from: copy, to: path })).rejects.toMatchObject(code);
  expect(await idsIn(path)).toEqual(["a", "b", "c"]);
  const to = freshPath();
  mkdirSync(dirname(to));
  writeFileSync(`${to}-wal`, "left");
  await expect(restoreSqliteStore({ from: copy, to })).rejects.toMatchObject(code);
  expect(readdirSync(dirname(to))).toEqual(["store.db-wal"]);
});

test("what is no sound backup is not restored, and leaves nothing behind", async () => {
  const { path, copy } = await copied();
  const to = freshPath();
  const restored = (from: string) => restoreSqliteStore({ from, to });
  const file = (name: string) => beside(path, name);

  writeFileSync(file("empty"), "");
  await expect(restored(file("empty"))).rejects.toMatchObject({ code: "ERR_STORE_VERSION" });
  await tamper(file("theirs"), "CREATE TABLE theirs (a)");
  await expect(restored(file("theirs"))).rejects.toMatchObject({ code: "ERR_STORE_VERSION" });
  await tamper(file("newer"), "PRAGMA application_id = 0x54504c4e", "PRAGMA user_version = 9");
  await expect(restored(file("newer"))).rejects.toMatchObject({ code: "ERR_STORE_VERSION" });
  writeFileSync(file("text"), "no database\n".repeat(99));
  await expect(restored(file("text"))).rejects.toMatchObject({ code: "ERR_STORE_DAMAGED" });
  writeFileSync(file("cut"), readFileSync(copy));
  truncateSync(file("cut"), statSync(copy).size - 4096);
  await expect(restored(file("cut"))).rejects.toMatchObject({
    code: "ERR_STORE_DAMAGED",
    message: expect.stringContaining(file("cut")) as string,
  });
  await expect(restored(file("missing"))).rejects.toMatchObject({ code: "ENOENT" });
  expect(existsSync(to) || existsSync(`${to}.partial`)).toBe(false);

  await using inUse = await openSqliteStore({ path });
  await inUse.create(Path, "e", spec());
  await expect(restored(path)).rejects.toMatchObject({ code: "ERR_STORE_IN_USE" });
  await restored(copy); // and what is sound still is
  expect(await idsIn(to)).toEqual(["a", "b"]);
});
