/** The engine on a store in a file: what it did is there after a restart, and is not done again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  defineController,
  exclusive,
  manualClock,
  maybe,
  one,
  pointerTo,
  type Controller,
} from "#runtime";
import { createEngine } from "#runtime/engine";
import { openSqliteStore, type Store } from "#runtime/store";
import { seededRandom } from "#runtime/testing";
import { Int, intToStr, Sentence, START, Str, strToSentence, Sum, sum, Switch } from "./toys.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trustplane-engine-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const controllers = [intToStr(8), strToSentence(), sum()];

/** One life of a process. */
async function live(act: (store: Store, settled: () => Promise<void>) => Promise<void>) {
  const clock = manualClock(START);
  await using store = await openSqliteStore({ path: join(folder, "state.db"), clock });
  await using engine = engineOn(store, controllers);
  await engine.start();
  await engine.settled();
  await act(store, () => engine.settled());
}

const engineOn = (store: Store, list: readonly Controller[]) =>
  createEngine({ store, clock: manualClock(START), random: seededRandom(1), controllers: list });

test("outputs follow inputs, across restarts", async () => {
  await live(async (store, settled) => {
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => store.create(Int, `i${i}`, { value: i })),
    );
    await settled();
    expect(await store.list(Sentence)).toHaveLength(50);
    expect((await store.get(Sum, "total"))?.spec).toEqual({ total: 1225 });
  });
  await live(async (store, settled) => {
    const outputs = [...(await store.list(Str)), ...(await store.list(Sentence))];
    expect(new Set(outputs.map(({ metadata }) => metadata.version))).toEqual(new Set([1, 2]));
    expect((await store.get(Sentence, "i1"))?.metadata.version).toBe(1);
    await store.modify(Int, "i1", (int) => void (int.value = 100));
    await store.teardownAndDestroy(pointerTo(Int, "i2"));
    await settled();
    expect((await store.get(Sentence, "i1"))?.spec).toEqual({ value: "100 sentence" });
    expect(await store.get(Sentence, "i2")).toBeUndefined();
    expect((await store.get(Sum, "total"))?.spec).toEqual({ total: 1225 + 99 - 2 });
  });
});

test("a restart writes nothing when nothing changed meanwhile", async () => {
  const contents = async (store: Store) =>
    Promise.all([Int, Str, Sentence, Sum].map((kind) => store.list<unknown>(kind as never)));
  let before: unknown;
  await live(async (store, settled) => {
    await store.create(Int, "a", { value: 1 });
    await settled();
    before = await contents(store);
  });
  await live(async (store) => expect(await contents(store)).toEqual(before));
});

test("what cannot be read is not gone: a source is waited for, what is derived is written anew", async () => {
  const file = join(folder, "state.db");
  const chain = [
    defineController({
      name: "test.SwitchController",
      inputs: { source: one(Switch, "x") },
      outputs: { str: exclusive(Str) },
      reconcile: ({ inputs }) => ({
        outputs: { str: { a: { value: String(inputs.source.spec.on) } } },
      }),
    }),
    defineController({
      name: "test.StrController",
      inputs: { str: one(Str, "a") },
      outputs: { sentence: exclusive(Sentence) },
      reconcile: ({ inputs }) => ({
        outputs: { sentence: { s: { value: `it is ${inputs.str.spec.value}` } } },
      }),
    }),
    defineController({
      name: "test.WitnessController",
      inputs: { source: maybe(Switch, "x", { damagedIsAbsent: true }) },
      outputs: { sum: exclusive(Sum) },
      reconcile: ({ inputs }) => ({ outputs: { sum: { w: { total: inputs.source ? 1 : 0 } } } }),
    }),
  ];
  const run = async (act: (store: Store) => Promise<unknown>) => {
    await using store = await openSqliteStore({ path: file });
    await using engine = engineOn(store, chain);
    await act(store);
    await engine.start();
    await engine.settled();
    const [str, sentence] = [await store.get(Str, "a"), await store.get(Sentence, "s")];
    expect([str?.spec, sentence?.spec]).toEqual([{ value: "true" }, { value: "it is true" }]);
    expect(sentence?.metadata.version).toBe(1);
  };
  const damage = (type: string) => {
    const database = new DatabaseSync(file);
    const sql = "UPDATE resources SET spec = '{' WHERE type = ?";
    expect(database.prepare(sql).run(type).changes).toBe(1);
    database.close();
  };
  await run((store) => store.create(Switch, "x", { on: true }));
  damage(Str.type);
  const witness = async (store: Store) => (await store.get(Sum, "w"))?.spec;
  await run(async (store) => expect(await witness(store)).toEqual({ total: 1 }));
  damage(Switch.type);
  await run(async () => undefined);
  await using store = await openSqliteStore({ path: file });
  expect(await witness(store)).toEqual({ total: 0 });
});
