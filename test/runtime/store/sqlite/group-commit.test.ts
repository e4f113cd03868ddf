import { expect, test } from "vitest";
import { openDatabase, type Database } from "../../../../src/runtime/store/sqlite/database.ts";
import { sqliteStoreOver } from "../../../../src/runtime/store/sqlite/sqlite.ts";
import { path, Path, record, spec } from "../../../../src/runtime/conformance/store/suite.ts";
import { freshPath } from "./fresh-path.ts";

/** A store on a database whose transactions are counted and can be made to fail. */
async function observed() {
  const file = freshPath();
  const database = await openDatabase(file);
  const seen = { transactions: 0, failure: undefined as Error | undefined };
  const seam: Database = {
    ...database,
    transaction(write) {
      seen.transactions += 1;
      database.transaction(() => {
        write();
        if (seen.failure) throw seen.failure; // after all was written: the worst moment
      });
    },
  };
  const store = sqliteStoreOver(seam, {});
  seen.transactions = 0;
  return { store, seen, database, file };
}

const many = (count: number) => Array.from({ length: count }, (_, i) => i);

test("commits that wait at the same time share a transaction", async () => {
  const { store, seen } = await observed();
  await using _ = store;
  await Promise.all(many(64).map((i) => store.create(Path, `id-${i}`, spec())));
  expect(seen.transactions).toBe(1);
});

test("64 writers with different ways to their writes share a transaction a round", async () => {
  const { store, seen } = await observed();
  await using _ = store;
  const writer = async (i: number) => {
    for (let round = 0; round < 10; round++) {
      for (let hop = 0; hop < i % 5; hop++) await Promise.resolve();
      if (i % 2 === 0) await store.create(Path, `${i}/${round}`, spec());
      else await store.modify(Path, `${i}`, () => spec(round), { initial: spec(-1) });
    }
  };
  await Promise.all(many(64).map(writer));
  expect(seen.transactions).toBe(10);
});

test("one who writes alone is not kept waiting", async () => {
  const { store, seen } = await observed();
  await using _ = store;
  for (const i of many(5)) await store.create(Path, `id-${i}`, spec());
  expect(seen.transactions).toBe(5);
});

test("what writes nothing takes no transaction", async () => {
  const { store, seen } = await observed();
  await using _ = store;
  await store.create(Path, "a", spec());
  await store.modify(Path, "a", () => spec());
  await expect(store.create(Path, "a", spec())).rejects.toMatchObject({
    code: "ERR_ALREADY_EXISTS",
  });
  expect(seen.transactions).toBe(1);
});

test("a commit that is refused does not hurt those it shares a transaction with", async () => {
  const { store, seen } = await observed();
  await using _ = store;
  const watch = record(store.watchKind(Path));
  const ends = await Promise.allSettled([
    store.create(Path, "a", spec(1)),
    store.create(Path, "a", spec(2)),
    store.core.commit([
      { op: "destroy", pointer: path("a") },
      { op: "destroy", pointer: path("missing") },
    ]),
    store.modify(Path, "a", (draft) => void (draft.size += 10)),
    store.create(Path, "b", spec()),
  ]);
  expect(ends.map(({ status }) => status)).toEqual([
    ...["fulfilled", "rejected", "rejected", "fulfilled", "fulfilled"],
  ]);
  expect(seen.transactions).toBe(1);
  expect(watch.lines).toEqual(["created a@1", "updated a@2 was a@1", "created b@1"]);
  expect((await store.get(Path, "a"))?.spec.size).toBe(11);
});

test("nobody sees a commit before it is durable", async () => {
  const { store } = await observed();
  await using _ = store;
  const watch = record(store.watchKind(Path));
  const created = store.create(Path, "a", spec());
  expect(await store.get(Path, "a")).toBeUndefined();
  expect(watch.lines).toEqual([]);
  await created;
  expect(watch.lines).toEqual(["created a@1"]);
});

test("when a transaction fails all of its commits do, and nothing has happened", async () => {
  const { store, seen, file } = await observed();
  await store.create(Path, "a", spec());
  const [before] = await store.list(Path);
  const watch = record(store.watchKind(Path, { bootstrapBookmark: true }));
  seen.failure = new Error("the disk is on fire");
  const ends = await Promise.allSettled([
    store.modify(Path, "a", () => spec(1)),
    store.create(Path, "b", spec()),
    store.create(Path, "b", spec()), // refused only because of the one before it
    store.modify(Path, "a", () => spec(1)), // fine only because of the first
  ]);
  for (const end of ends)
    expect(end).toMatchObject({ status: "rejected", reason: { message: "the disk is on fire" } });
  expect(watch.lines).toEqual(["noop"]);
  expect(await store.list(Path)).toEqual([before]);
  seen.failure = undefined;
  await store.create(Path, "b", spec());
  await store.modify(Path, "a", () => spec(2));
  expect(watch.lines).toEqual(["noop", "created b@1", "updated a@2 was a@1"]);
  await store.close();
  const again = sqliteStoreOver(await openDatabase(file), {});
  expect((await again.list(Path)).map(({ metadata }) => metadata.version)).toEqual([2, 1]);
  await again.close();
});

test("a full disk refuses writes, and the store goes on when there is room again", async () => {
  const { store, database } = await observed();
  await using _ = store;
  const big = spec(0, ["x".repeat(100_000)]);
  await store.create(Path, "a", spec());
  const pages = Number(database.pragma("page_count"));
  database.pragma(`max_page_count = ${pages + 2}`);
  const refused = store.core.commit([
    { op: "destroy", pointer: path("a") },
    {
      op: "create",
      resource: { ...(await store.core.list(Path))[0]!, spec: big },
    },
  ]);
  await expect(refused).rejects.toMatchObject({ code: "ERR_STORE_FULL" });
  expect((await store.get(Path, "a"))?.spec).toEqual(spec());
  database.pragma("max_page_count = 1000000");
  await store.create(Path, "b", big);
  expect(await store.list(Path)).toHaveLength(2);
});

test("closing waits for the commits that were made before", async () => {
  const { store, file } = await observed();
  const created = store.create(Path, "a", spec());
  await store.close();
  await created;
  const again = sqliteStoreOver(await openDatabase(file), {});
  expect(await again.list(Path)).toHaveLength(1);
  await again.close();
});
