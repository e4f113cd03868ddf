import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { at, manualClock } from "#runtime";
import { openMemoryStore, openSqliteStore, type Bookmark } from "#runtime/store";
import { APPLICATION_ID } from "../../../../src/runtime/store/sqlite/schema.ts";
import {
  Other,
  path,
  Path,
  record,
  spec,
} from "../../../../src/runtime/conformance/store/suite.ts";
import { conforms } from "../conforms.ts";
import { freshPath } from "./fresh-path.ts";
import { refusal, rowsOf, tamper } from "./tampering.ts";

conforms("SQLite", async (options) => openSqliteStore({ path: freshPath(), ...options }), [
  ...(["atomic", "sameProcess", "edit"] as const),
]);

describe("a store that is opened again", () => {
  test("has every resource as it was", async () => {
    const file = freshPath();
    const clock = manualClock(at("2030-01-01"));
    const store = await openSqliteStore({ path: file, clock });
    await store.create(Path, "a", spec(1, ["é", "\u0000", "\ud800"]), {
      owner: "one",
      labels: { l: "1" },
      annotations: { n: "2" },
      finalizers: ["f", "e"],
    });
    clock.stepTo(at("2030-01-01T00:00:00.123Z"));
    await store.teardown(path("a"), { owner: "one" });
    await store.create(Other, "__proto__", { size: 0.5 });
    await store.create(Path, "gone", spec());
    await store.destroy(path("gone"));
    const before = [...(await store.list(Path)), ...(await store.list(Other))];
    await store.close();
    await using again = await openSqliteStore({ path: file, clock });
    expect([...(await again.list(Path)), ...(await again.list(Other))]).toEqual(before);
    expect(before[0]?.metadata).toMatchObject({ version: 2, phase: "tearingDown" });
    expect(Object.isFrozen((await again.get(Path, "a"))?.spec.tags)).toBe(true);
    await again.modify(Path, "a", () => spec(2), { owner: "one", expectedPhase: "any" });
    expect((await again.get(Path, "a"))?.metadata.version).toBe(3);
  });

  test("takes the bookmarks from before, back to the end of its event log", async () => {
    const file = freshPath();
    const bookmarks: Bookmark[] = [];
    const store = await openSqliteStore({ path: file, eventLog: 100 });
    store.watchKind(Path).subscribe((event) => {
      if (event.type !== "errored" && event.bookmark) bookmarks.push(event.bookmark);
    });
    for (let i = 0; i < 300; i++)
      await store.modify(Path, "a", (draft) => void (draft.size += 1), { initial: spec() });
    await store.destroy(path("a"));
    await store.close();
    await using again = await openSqliteStore({ path: file, eventLog: 100 });
    const resume = (back: number) => {
      const startFromBookmark = bookmarks.at(-1 - back);
      if (!startFromBookmark) throw new Error("no bookmark");
      return record(again.watchKind(Path, { startFromBookmark })).lines;
    };
    const [event] = record(again.watchKind(Path, { startFromBookmark: bookmarks[298]! })).events;
    expect(event).toMatchObject({ resource: { spec: spec(300) }, old: { spec: spec(299) } });
    expect(resume(2)).toEqual(["updated a@300 was a@299", "destroyed a@300"]);
    expect(resume(100)).toHaveLength(100);
    expect(resume(250)).toEqual(["errored ERR_INVALID_BOOKMARK"]);
    await again.create(Path, "a", spec());
    expect(resume(1)).toEqual(["destroyed a@300", "created a@1"]);
  });
});

describe("the file", () => {
  test("is for its owner only, and so is what lies beside it", async () => {
    const file = freshPath();
    const umask = process.umask(0);
    try {
      await using store = await openSqliteStore({ path: file });
      await store.create(Path, "a", spec());
      const names = readdirSync(dirname(file));
      expect(names).toContain("store.db-wal");
      for (const name of names)
        expect(statSync(join(dirname(file), name)).mode & 0o777).toBe(0o600);
      expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
    } finally {
      process.umask(umask);
    }
  });

  test("is made private when it was not", async () => {
    const file = freshPath();
    mkdirSync(dirname(file));
    writeFileSync(file, "", { mode: 0o644 });
    await (await openSqliteStore({ path: file })).close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("is opened by one store at a time", async () => {
    const file = freshPath();
    const store = await openSqliteStore({ path: file });
    expect(await refusal(file)).toMatchObject({
      code: "ERR_STORE_IN_USE",
      message: expect.stringContaining(file) as string,
    });
    await store.create(Path, "a", spec());
    await store.close();
    expect(await refusal(file)).toBeUndefined();
  });

  test("of a newer version is refused, and stays as it is", async () => {
    const file = freshPath();
    await (await openSqliteStore({ path: file })).close();
    await tamper(file, "PRAGMA user_version = 7");
    const before = readFileSync(file);
    expect(await refusal(file)).toMatchObject({
      code: "ERR_STORE_VERSION",
      message: expect.stringMatching(/store\.db has schema version 7, .* up to 3/) as string,
    });
    expect(readFileSync(file)).toEqual(before);
  });

  test("of another program is refused, and stays as it is", async () => {
    const file = freshPath();
    await tamper(file, "CREATE TABLE theirs (a)");
    const before = readFileSync(file);
    expect(await refusal(file)).toMatchObject({ code: "ERR_STORE_VERSION" });
    await tamper(file, "PRAGMA application_id = 42");
    expect(await refusal(file)).toMatchObject({
      code: "ERR_STORE_VERSION",
      message: expect.stringMatching(/store\.db .*0x0000002a.*0x54504c4e/) as string,
    });
    expect(readFileSync(file)).toHaveLength(before.length);
    expect(APPLICATION_ID).toBe(0x54504c4e);
  });

  test("that is damaged is refused", async () => {
    const file = freshPath();
    mkdirSync(dirname(file));
    writeFileSync(file, "this is no database, but long enough to be mistaken for one\n".repeat(99));
    expect(await refusal(file)).toMatchObject({ code: "ERR_STORE_DAMAGED" });

    const cut = freshPath();
    const store = await openSqliteStore({ path: cut });
    for (let i = 0; i < 200; i++) await store.create(Path, `id-${i}`, spec(i, ["x".repeat(500)]));
    await store.close();
    const { size } = statSync(cut);
    const whole = readFileSync(cut);
    truncateSync(cut, size / 2);
    expect(await refusal(cut)).toMatchObject({ code: "ERR_STORE_DAMAGED" });

    // Nothing that is read at the opening is wrong here, only the count of free pages.
    writeFileSync(cut, whole.fill(9, 39, 40));
    expect(await refusal(cut)).toMatchObject({ code: "ERR_STORE_DAMAGED" });
  });

  test("that cannot be opened or made is named, and left alone", async () => {
    const file = freshPath();
    mkdirSync(file, { recursive: true, mode: 0o755 });
    expect(await refusal(file)).toMatchObject({
      message: `the store ${file} cannot be used: unable to open database file`,
    });
    expect(statSync(file).mode & 0o777).toBe(0o755);
    writeFileSync(join(file, "taken"), "");
    const below = join(file, "taken", "store.db");
    expect(await refusal(below)).toMatchObject({ code: "EEXIST" });
  });
});

test("a row that cannot be read is told of, kept, and not written over", async () => {
  const file = freshPath();
  const store = await openSqliteStore({ path: file });
  for (const id of ["a", "b", "c", "d"]) await store.create(Path, id, spec());
  await store.close();
  await tamper(
    file,
    "UPDATE resources SET spec = '{\"size\": 1' WHERE id = 'b'",
    "UPDATE resources SET labels = '[1]' WHERE id = 'c'",
    "UPDATE resources SET version = 0 WHERE id = 'd'",
    "UPDATE events SET after = '?' WHERE position = 2",
  );
  for (let round = 0; round < 2; round++) {
    await using again = await openSqliteStore({ path: file });
    expect(again.damagedRows()).toEqual([
      { pointer: path("b"), problem: "spec is not JSON" },
      { pointer: path("c"), problem: "labels is not valid" },
      { pointer: path("d"), problem: "version is not valid" },
    ]);
    expect((await again.list(Path)).map(({ metadata }) => metadata.id)).toEqual(["a"]);
    await expect(again.create(Path, "b", spec())).rejects.toMatchObject({
      code: "ERR_STORE_DAMAGED",
    });
  }
  await using last = await openSqliteStore({ path: file });
  await last.discardDamaged(path("b"));
  await last.create(Path, "b", spec(5));
  expect(last.damagedRows()).toHaveLength(2);
});

test("the owner of a damaged row may write it anew; the row is kept beside, once", async () => {
  const file = freshPath();
  const store = await openSqliteStore({ path: file });
  await store.create(Path, "a", spec(1), { owner: "one" });
  await store.close();
  await tamper(file, "UPDATE resources SET spec = '{\"size\": 1'");
  await (await openSqliteStore({ path: file })).close();
  const again = await openSqliteStore({ path: file });
  const isDamaged = () => again.core.snapshot([], (view) => view.isDamaged?.(path("a")));
  await using other = openMemoryStore();
  const resource = await other.create(Path, "a", spec(2), { owner: "one" });
  const create = { op: "create", resource, owner: "one" } as const;
  // What is taken back leaves the row as damaged as it was.
  const missing = { op: "destroy", pointer: path("missing") } as const;
  await expect(again.core.commit([create, missing])).rejects.toThrow("missing");
  expect(await isDamaged()).toBe(true);
  await again.create(Path, "a", spec(2), { owner: "one" });
  expect(await isDamaged()).toBe(false);
  await again.close();
  await using last = await openSqliteStore({ path: file });
  expect(last.damagedRows()).toEqual([]);
  expect((await last.get(Path, "a"))?.spec).toEqual(spec(2));
  await last.close();
  const kept = await rowsOf(file, "SELECT id, problem, contents FROM damaged");
  expect(kept).toMatchObject([{ id: "a", problem: "spec is not JSON" }]);
  expect(String(kept[0]?.contents)).toContain('{\\"size\\": 1');
});
