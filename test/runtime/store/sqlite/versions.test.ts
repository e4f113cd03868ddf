/** Files of the versions that were, made by hand as those programs made them. */
import { expect, test } from "vitest";
import { at } from "#runtime";
import { openSqliteStore, restoreSqliteStore } from "#runtime/store";
import { Path, record, spec } from "../../../../src/runtime/conformance/store/suite.ts";
import { freshPath } from "./fresh-path.ts";
import { rowsOf, tamper } from "./tampering.ts";

const created = at("2030-01-01");
const metadata = (id: string, version: number) =>
  JSON.stringify({
    ...{ namespace: "default", type: "os/path", id, version, owner: "", created },
    ...{ updated: created, phase: "running", labels: { l: "1" }, annotations: {}, finalizers: [] },
  });
const resource = (id: string, version: number, size: number) =>
  `{"metadata":${metadata(id, version)},"spec":{"size":${size},"tags":[]}}`;

const first = [
  `CREATE TABLE store (cookie BLOB NOT NULL) STRICT;
   CREATE TABLE resources (
     namespace TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
     version INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
     phase TEXT NOT NULL, owner TEXT NOT NULL,
     labels TEXT NOT NULL, annotations TEXT NOT NULL, finalizers TEXT NOT NULL,
     spec TEXT NOT NULL,
     PRIMARY KEY (namespace, type, id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE events (
     position INTEGER PRIMARY KEY,
     namespace TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
     event TEXT NOT NULL, before TEXT, after TEXT
   ) STRICT;`,
  "INSERT INTO store VALUES (x'00112233445566778899aabbccddeeff')",
  ...["a", "b"].map(
    (id) =>
      `INSERT INTO resources VALUES ('default', 'os/path', '${id}', 2, ${created}, ${created},
       'running', '', '{"l":"1"}', '{}', '[]', '{"size":1,"tags":[]}')`,
  ),
  "UPDATE resources SET spec = '{' WHERE id = 'b'",
  `INSERT INTO events VALUES
     (1, 'default', 'os/path', 'a', 'created', NULL, '${resource("a", 1, 0)}'),
     (2, 'default', 'os/path', 'a', 'updated', '${resource("a", 1, 0)}', '${resource("a", 2, 1)}')`,
  "PRAGMA application_id = 0x54504c4e",
  "PRAGMA user_version = 1",
];
const second = [
  ...first,
  `CREATE TABLE damaged (
     namespace TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
     problem TEXT NOT NULL, contents TEXT NOT NULL,
     PRIMARY KEY (namespace, type, id, contents)
   ) STRICT, WITHOUT ROWID`,
  "INSERT INTO damaged VALUES ('default', 'os/path', 'gone', 'spec is not JSON', '{}')",
  "PRAGMA user_version = 2",
];
const bookmarkAt = (position: number) =>
  Uint8Array.from(
    [...Array(16).keys()].map((i) => i * 0x11).concat([0, 0, 0, 0, 0, 0, 0, position]),
  );

for (const [version, statements] of [first, second].entries()) {
  const named = `a file of version ${version + 1}`;

  test(`${named} is opened, brought up to date and used`, async () => {
    const path = freshPath();
    await tamper(path, ...statements);
    for (let round = 0; round < 2; round++) {
      await using store = await openSqliteStore({ path, kinds: [Path] });
      const a = await store.get(Path, "a");
      expect(a?.metadata).toMatchObject({ version: 2 + round, created, labels: { l: "1" } });
      expect(store.damagedRows()).toEqual([
        {
          pointer: { namespace: "default", type: "os/path", id: "b" },
          problem: "spec is not JSON",
        },
      ]);
      await store.modify(Path, "a", (draft) => void (draft.size += 1));
    }
    const [now] = await rowsOf(path, "PRAGMA user_version");
    expect(now).toEqual({ user_version: 3 });
    const kept = await rowsOf(path, "SELECT id FROM damaged ORDER BY id");
    expect(kept.map(({ id }) => id)).toEqual(version === 0 ? ["b"] : ["b", "gone"]);
  });

  test(`${named} keeps its bookmarks where nothing in it is damaged`, async () => {
    const path = freshPath();
    await tamper(path, ...statements, "DELETE FROM resources WHERE id = 'b'");
    await using store = await openSqliteStore({ path, kinds: [Path], eventLog: { age: 1 } });
    const lines = (position: number) =>
      record(store.watchKind(Path, { startFromBookmark: bookmarkAt(position) })).lines;
    expect(lines(0)).toEqual(["created a@1", "updated a@2 was a@1"]);
    expect(lines(1)).toEqual(["updated a@2 was a@1"]);
    await store.create(Path, "c", spec());
    expect(lines(2)).toEqual(["created c@1"]);
  });

  test(`${named} can be restored from`, async () => {
    const [from, to] = [freshPath(), freshPath()];
    await tamper(from, ...statements);
    await restoreSqliteStore({ from, to });
    await using store = await openSqliteStore({ path: to });
    expect((await store.list(Path)).map(({ metadata }) => metadata.id)).toEqual(["a"]);
  });
}
