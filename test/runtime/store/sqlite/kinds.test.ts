/** Kinds that change while their resources are stored. */
import { expect, test } from "vitest";
import { z } from "zod";
import { at, defineResource, manualClock, type AnyResourceType } from "#runtime";
import { DamagedResource, openSqliteStore, type SqliteStore } from "#runtime/store";
import { record } from "../../../../src/runtime/conformance/store/suite.ts";
import { freshPath } from "./fresh-path.ts";
import { rowsOf, tamper } from "./tampering.ts";

const about = { type: "Boxes.test.dev", namespace: "test" };
const Box1 = defineResource({ ...about, spec: z.object({ size: z.number() }) });
const inMillimetres = (spec: unknown) => ({ mm: (spec as { size: number }).size * 1000 });
const Box2 = defineResource({
  ...about,
  schemaVersion: 2,
  spec: z.object({ mm: z.number().positive() }),
  migrations: { 1: inMillimetres },
});
const Box3 = defineResource({
  ...about,
  schemaVersion: 3,
  spec: z.object({ mm: z.number(), unit: z.string().default("mm") }),
  migrations: {
    1: inMillimetres,
    2: (spec) => Object.assign(spec as object, { mm: Math.round((spec as { mm: number }).mm) }),
  },
});
const Lid = defineResource({ ...about, type: "Lids.test.dev", spec: z.object({ of: z.string() }) });

const opened = (path: string, ...kinds: AnyResourceType[]) => openSqliteStore({ path, kinds });
const box = (id: string) => ({ ...about, id });
const reportOf = (id: string) => `Boxes.test.dev(test/${id})`;

/** A file with boxes of the first version. */
async function boxes(sizes: Readonly<Record<string, number>>): Promise<string> {
  const path = freshPath();
  await using store = await opened(path, Box1, Lid);
  for (const [id, size] of Object.entries(sizes)) await store.create(Box1, id, { size });
  await store.create(Lid, "l", { of: "a" });
  return path;
}

const problems = async (store: SqliteStore) =>
  Object.fromEntries(
    (await store.list(DamagedResource)).map(({ metadata, spec }) => [metadata.id, spec.problem]),
  );

test("specs of an older version are migrated when the store is opened, once", async () => {
  const path = await boxes({ a: 1.5, b: 2 });
  const clock = manualClock(at("2030-01-01"));
  {
    await using store = await openSqliteStore({ path, kinds: [Box2, Lid], clock });
    const [a, b] = await store.list(Box2);
    expect([a?.spec, b?.spec]).toEqual([{ mm: 1500 }, { mm: 2000 }]);
    expect(a?.metadata).toMatchObject({ version: 2, updated: at("2030-01-01") });
    expect(Object.isFrozen(a?.spec)).toBe(true);
    expect((await store.get(Lid, "l"))?.metadata.version).toBe(1);
    await store.modify(Box2, "a", (draft) => void (draft.mm += 0.4));
  }
  {
    await using store = await opened(path, Box2, Lid);
    expect((await store.get(Box2, "a"))?.metadata.version).toBe(3);
    expect((await store.get(Box2, "b"))?.metadata.version).toBe(2);
  }
  await using store = await opened(path, Box3, Lid);
  const specs = (await store.list(Box3)).map(({ spec }) => spec);
  expect(specs).toEqual([
    { mm: 1500, unit: "mm" },
    { mm: 2000, unit: "mm" },
  ]);
});

test("several versions are gone through at once, and what they write is durable", async () => {
  const path = await boxes({ a: 1.0004 });
  await (await opened(path, Box3)).close();
  const rows = await rowsOf(path, "SELECT spec, version, schema_version FROM resources");
  expect(rows[0]).toEqual({ spec: '{"mm":1000,"unit":"mm"}', version: 2, schema_version: 3 });
});

test("a bookmark from before a migration is refused: what it led to is not what is there", async () => {
  const path = await boxes({ a: 1 });
  const before = await opened(path, Box1);
  const watch = record(before.watchKind(Box1, { bootstrapBookmark: true }));
  await before.create(Box1, "b", { size: 2 });
  await before.close();
  await using store = await opened(path, Box2);
  for (const event of watch.events) {
    if (!("bookmark" in event)) throw new TypeError("no bookmark");
    const resumed = record(store.watchKind(Box2, { startFromBookmark: event.bookmark }));
    expect(resumed.lines).toEqual(["errored ERR_INVALID_BOOKMARK"]);
  }
  expect(record(store.watchKind(Box2, { tailEvents: 9 })).lines).toEqual([]);
  const live = record(store.watchKind(Box2, { bootstrapBookmark: true }));
  await store.modify(Box2, "a", (draft) => void (draft.mm = 5));
  expect(live.lines).toEqual(["noop", "updated a@3 was a@2"]);
});

test("what the schema refuses is kept, reported as a resource, and stops nothing else", async () => {
  const path = await boxes({ bad: -1, good: 1 });
  for (let round = 0; round < 2; round++) {
    await using store = await opened(path, Box2, Lid);
    const problem = "spec.mm does not fit the schema of the kind";
    expect(await problems(store)).toEqual({ [reportOf("bad")]: problem });
    expect(store.damagedRows()).toEqual([{ pointer: box("bad"), problem }]);
    expect((await store.list(Box2)).map(({ metadata }) => metadata.id)).toEqual(["good"]);
    await store.modify(Box2, "good", (draft) => void (draft.mm += 1));
    await store.modify(Lid, "l", () => ({ of: `round ${round}` }));
    await expect(store.create(Box2, "bad", { mm: 1 })).rejects.toMatchObject({
      code: "ERR_STORE_DAMAGED",
    });
    await expect(store.modify(Box2, "bad", () => ({ mm: 1 }))).rejects.toMatchObject({
      code: "ERR_NOT_FOUND",
    });
  }
  const [row] = await rowsOf(path, "SELECT spec, schema_version FROM resources WHERE id = 'bad'");
  expect(row).toEqual({ spec: '{"size":-1}', schema_version: 1 });
  // The program that wrote it reads it still.
  await using older = await opened(path, Box1);
  expect((await older.get(Box1, "bad"))?.spec).toEqual({ size: -1 });
  expect(await problems(older)).toEqual({
    [reportOf("good")]:
      "the spec has schema version 2, this program knows versions up to 1: use the newer program " +
      "that wrote it",
  });
});

test.each([
  ["is of another form", '{"yaml":5}'],
  ["is null", "null"],
  ["is empty", "{}"],
  ["is cut short", '{"size":'],
  ["is no JSON", "size: 5"],
])("a spec that %s is damaged, and its contents are not told", async (_, spec) => {
  const path = await boxes({ a: 1, b: 2 });
  await tamper(path, `UPDATE resources SET spec = '${spec}' WHERE id = 'a'`);
  await using store = await opened(path, Box1);
  const [problem] = Object.values(await problems(store));
  expect(problem).toMatch(/^spec(\.size)? (does not fit the schema of the kind|is not JSON)$/);
  expect((await store.list(Box1)).map(({ metadata }) => metadata.id)).toEqual(["b"]);
});

test("a migration that throws, or makes what is no JSON, damages its own resources only", async () => {
  const path = await boxes({ a: 1, b: 2, c: 3 });
  const Broken = defineResource({
    ...about,
    schemaVersion: 2,
    spec: z.object({ size: z.unknown() }),
    migrations: {
      1(spec) {
        const { size } = spec as { size: number };
        if (size === 1) throw new Error("secret");
        return { size: size === 2 ? 2n : size };
      },
    },
  });
  await using store = await opened(path, Broken, Lid);
  expect(await problems(store)).toEqual({
    [reportOf("a")]: "the migration from schema version 1 failed",
    [reportOf("b")]: "spec.size is not a JSON value after its migration",
  });
  expect((await store.get(Broken, "c"))?.spec).toEqual({ size: 3 });
  expect(await store.get(Lid, "l")).toBeDefined();
});

test("a report goes with what it tells of: given up, or written anew by its owner", async () => {
  const path = await boxes({ a: -1, b: -2 });
  await using store = await opened(path, Box2);
  const watch = record(store.watchKind(DamagedResource));
  await store.discardDamaged(box("a"));
  await store.discardDamaged(box("a")); // done is done
  await store.create(Box2, "b", { mm: 1 }, { owner: "one" });
  const gone = ["a", "b"].map((id) => `destroyed ${reportOf(id)}@1`);
  expect(watch.lines).toEqual(gone);
  expect(store.damagedRows()).toEqual([]);
  await store.create(Box2, "a", { mm: 2 });
  await expect(store.create(DamagedResource, "x", { problem: "" })).rejects.toThrow(TypeError);
  await store.close();
  await using again = await opened(path, Box2);
  expect((await again.list(Box2)).map(({ spec }) => spec)).toEqual([{ mm: 2 }, { mm: 1 }]);
  expect(again.damagedRows()).toEqual([]);
});

test("a kind is written in its own version or not at all", async () => {
  const path = freshPath();
  await using store = await opened(path);
  await expect(store.create(Box2, "a", { mm: 1 })).rejects.toThrow(
    "Boxes.test.dev has schema version 2, the store writes version 1: give the kind to the store",
  );
  await expect(store.modify(Box2, "a", () => ({ mm: 1 }))).rejects.toThrow(TypeError);
});

test("what is stored of an unknown kind keeps its version", async () => {
  const path = await boxes({ a: 1 });
  await (await opened(path, Box2)).close();
  {
    await using store = await opened(path);
    const metadata = (await store.get(Box2, "a"))?.metadata;
    if (!metadata) throw new TypeError("it is gone");
    await store.update({ metadata, spec: { mm: 7 } });
  }
  await using store = await opened(path, Box2);
  expect((await store.get(Box2, "a"))?.spec).toEqual({ mm: 7 });
  expect(store.damagedRows()).toEqual([]);
});

test("a schema that answers later cannot be used", async () => {
  const path = await boxes({ a: 1 });
  const Later = defineResource({
    ...about,
    spec: z.object({}).refine(() => Promise.resolve(true)),
  });
  await expect(opened(path, Later)).rejects.toThrow("a store cannot wait for it");
});

test("a definition has a migration from each version before its own", () => {
  const define = (schemaVersion: number, migrations = {}) =>
    defineResource({ ...about, spec: z.object({}), schemaVersion, migrations });
  expect(() => define(0)).toThrow("Boxes.test.dev: 0 is no schema version");
  expect(() => define(1.5)).toThrow(TypeError);
  expect(() => define(3, { 1: inMillimetres })).toThrow("no migration from schema version 2");
  expect(define(2, { 1: inMillimetres }).schemaVersion).toBe(2);
});
