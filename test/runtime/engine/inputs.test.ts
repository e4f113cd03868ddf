/** What a controller gets for its inputs, and what happens while they are not there. */
import { describe, expect, test } from "vitest";
import {
  all,
  ControllerStatus,
  defineController,
  each,
  exclusive,
  gate,
  maybe,
  one,
  pointerTo,
  strong,
} from "#runtime";
import { mount } from "#runtime/testing";
import { Int, START, Str, Sum, Switch } from "./toys.ts";

const now = START;

/** Adds up what its inputs are, and counts how often it was asked to. */
function adder() {
  const calls: unknown[] = [];
  const controller = defineController({
    name: "test.Adder",
    inputs: {
      go: gate(Switch, "go", (go) => go.on),
      base: one(Int, "base"),
      extra: maybe(Int, "extra"),
    },
    outputs: { sum: exclusive(Sum) },
    reconcile({ inputs }) {
      calls.push(inputs);
      const total = inputs.base.spec.value + (inputs.extra?.spec.value ?? 0);
      return { outputs: { sum: { total: { total } } } };
    },
  });
  return { calls, controller };
}

const waitingFor = (t: Awaited<ReturnType<typeof mount>>) =>
  t.spec(ControllerStatus, "test.Adder")?.waitingFor;

describe("one", () => {
  test("absent, tearing down or destroyed: the outputs are withdrawn without a call", async () => {
    const { controller, calls } = adder();
    await using t = await mount(controller, { now });
    await t.create(Switch, "go", { on: true });
    expect(calls).toEqual([]);
    expect(waitingFor(t)).toBe("Ints.test.trustplane.dev(test/base): doesn't exist");
    await t.create(Int, "base", { value: 1 });
    expect(t.spec(Sum, "total")).toEqual({ total: 1 });
    expect(waitingFor(t)).toBe("");
    await t.store.addFinalizers(pointerTo(Int, "base"), "somebody");
    await t.settled();
    const before = calls.length;
    await t.destroy(Int, "base");
    expect(t.spec(Sum, "total")).toBeNull();
    expect(waitingFor(t)).toBe("Ints.test.trustplane.dev(test/base): tearing down");
    expect(calls).toHaveLength(before);
  });

  test("goes before a gate: what depends on something that is gone does not stay", async () => {
    const { controller } = adder();
    await using t = await mount(controller, { now });
    await t.create(Switch, "go", { on: true });
    await t.create(Int, "base", { value: 1 });
    await t.update(Switch, "go", (go) => void (go.on = false));
    await t.destroy(Int, "base");
    expect(t.spec(Sum, "total")).toBeNull();
  });
});

describe("gate", () => {
  test("absent or not ready: the controller waits and keeps what it holds", async () => {
    const { controller, calls } = adder();
    await using t = await mount(controller, { now });
    await t.create(Int, "base", { value: 1 });
    expect(waitingFor(t)).toBe("Switches.test.trustplane.dev(test/go): doesn't exist");
    await t.create(Switch, "go", { on: false });
    expect(t.spec(Sum, "total")).toBeNull();
    expect(waitingFor(t)).toBe("Switches.test.trustplane.dev(test/go): not ready");
    expect(calls).toEqual([]);
    await t.update(Switch, "go", (go) => void (go.on = true));
    expect(t.spec(Sum, "total")).toEqual({ total: 1 });
    await t.update(Switch, "go", (go) => void (go.on = false));
    await t.update(Int, "base", (int) => void (int.value = 7));
    expect(t.spec(Sum, "total")).toEqual({ total: 1 });
    await t.destroy(Switch, "go");
    expect(t.spec(Sum, "total")).toEqual({ total: 1 });
    await t.create(Switch, "go", { on: true });
    expect(t.spec(Sum, "total")).toEqual({ total: 7 });
  });

  test("strong: the outputs go before it does", async () => {
    const controller = defineController({
      name: "test.Gated",
      inputs: { go: strong(gate(Switch, "go", (go) => go.on)) },
      outputs: { sum: exclusive(Sum) },
      reconcile: () => ({ outputs: { sum: { total: { total: 1 } } } }),
    });
    await using t = await mount(controller, { now });
    await t.create(Switch, "go", { on: true });
    await t.store.addFinalizers(pointerTo(Sum, "total"), "somebody");
    await t.destroy(Switch, "go");
    expect(t.resource(Switch, "go")?.metadata.finalizers).toEqual(["test.Gated"]);
    await t.store.dropFinalizers(pointerTo(Sum, "total"), "somebody");
    await t.settled();
    expect(t.spec(Sum, "total")).toBeNull();
    expect(t.resource(Switch, "go")?.metadata.finalizers).toEqual([]);
  });
});

test("maybe: null while absent or tearing down", async () => {
  const { controller, calls } = adder();
  await using t = await mount(controller, { now });
  await t.create(Switch, "go", { on: true });
  await t.create(Int, "base", { value: 1 });
  expect(calls.at(-1)).toMatchObject({ extra: null });
  await t.create(Int, "extra", { value: 10 });
  expect(t.spec(Sum, "total")).toEqual({ total: 11 });
  await t.store.addFinalizers(pointerTo(Int, "extra"), "somebody");
  await t.destroy(Int, "extra");
  expect(t.spec(Sum, "total")).toEqual({ total: 1 });
});

test("what a controller gets is the stored resource itself", async () => {
  const { controller, calls } = adder();
  await using t = await mount(controller, { now });
  await t.create(Switch, "go", { on: true });
  await t.create(Int, "base", { value: 1 });
  expect((calls.at(-1) as { base: unknown }).base).toBe(t.resource(Int, "base"));
});

test("all: what matches, sorted by id, and a change of what does not match is no reason to run", async () => {
  const seen: string[][] = [];
  const controller = defineController({
    name: "test.Odd",
    inputs: {
      odd: all(Int, { query: { labels: [[{ key: "odd", op: "exists" }]] } }),
    },
    outputs: {},
    reconcile: ({ inputs }) => {
      seen.push(inputs.odd.map(({ metadata }) => metadata.id));
      return undefined;
    },
  });
  await using t = await mount(controller, { now });
  await t.create(Int, "b", { value: 3 }, { labels: { odd: "" } });
  await t.create(Int, "c", { value: 2 });
  await t.create(Int, "a", { value: 1 }, { labels: { odd: "" } });
  expect(seen).toEqual([[], ["b"], ["a", "b"]]);
  await t.store.modifyMetadata(pointerTo(Int, "b"), (metadata) => void (metadata.labels = {}));
  await t.settled();
  expect(seen.at(-1)).toEqual(["a"]);
});

test("inputs and what is held are of one moment", async () => {
  const pairs: (readonly [number | undefined, number | undefined])[] = [];
  const controller = defineController({
    name: "test.Pair",
    inputs: { a: maybe(Int, "a"), b: maybe(Int, "b") },
    outputs: {},
    async reconcile({ inputs }) {
      await Promise.resolve();
      pairs.push([inputs.a?.spec.value, inputs.b?.spec.value]);
    },
  });
  await using t = await mount(controller, { now });
  for (let value = 0; value < 20; value++) {
    const writes = ["a", "b"].map(async (id) => {
      const stored = await t.store.get(Int, id);
      const metadata = stored?.metadata ?? blank(id);
      return { op: stored ? "update" : "create", resource: { metadata, spec: { value } } } as const;
    });
    await t.store.core.commit(await Promise.all(writes));
  }
  await t.settled();
  expect(pairs.length).toBeGreaterThan(2);
  expect(pairs.filter(([a, b]) => a !== b)).toEqual([]);
});

const blank = (id: string) => ({
  ...pointerTo(Int, id),
  version: 0,
  owner: "",
  phase: "running" as const,
  created: now,
  updated: now,
  labels: {},
  annotations: {},
  finalizers: [],
});

describe("strong", () => {
  test("of a list that is filtered, lets go of what does not match any more", async () => {
    const controller = defineController({
      name: "test.Labelled",
      inputs: { ints: strong(all(Int, { query: { labels: [[{ key: "on", op: "exists" }]] } })) },
      outputs: { str: exclusive(Str) },
      reconcile: ({ inputs }) => ({
        outputs: {
          str: Object.fromEntries(inputs.ints.map(({ metadata: { id } }) => [id, { value: id }])),
        },
      }),
    });
    await using t = await mount(controller, { now });
    await t.create(Int, "a", { value: 1 }, { labels: { on: "" } });
    expect(t.resource(Int, "a")?.metadata.finalizers).toEqual(["test.Labelled"]);
    await t.store.modifyMetadata(pointerTo(Int, "a"), (metadata) => void (metadata.labels = {}));
    await t.settled();
    expect(t.resource(Int, "a")?.metadata.finalizers).toEqual([]);
    expect(t.list(Str)).toEqual([]);
  });

  test("each with a filter, lets go of what does not match any more", async () => {
    const controller = defineController({
      name: "test.Labelled",
      inputs: { int: strong(each(Int, { query: { labels: [[{ key: "on", op: "exists" }]] } })) },
      outputs: { str: exclusive(Str) },
      reconcile: ({ item }) => ({ outputs: { str: { [item]: { value: item } } } }),
    });
    await using t = await mount(controller, { now });
    await t.create(Int, "a", { value: 1 }, { labels: { on: "" } });
    expect(t.spec(Str, "a")).toEqual({ value: "a" });
    await t.store.modifyMetadata(pointerTo(Int, "a"), (metadata) => void (metadata.labels = {}));
    await t.settled();
    expect(t.resource(Int, "a")?.metadata.finalizers).toEqual([]);
    expect(t.list(Str)).toEqual([]);
  });

  test("of two lists, holds what one of them uses, once, and lets go of what none does", async () => {
    let calls = 0;
    const labelled = (key: string) =>
      strong(all(Int, { query: { labels: [[{ key, op: "exists" }]] } }));
    const controller = defineController({
      name: "test.Labelled",
      inputs: { odd: labelled("odd"), prime: labelled("prime") },
      outputs: { sum: exclusive(Sum) },
      reconcile({ inputs: { odd, prime } }) {
        if (++calls > 100) return undefined;
        return { outputs: { sum: { total: { total: odd.length + 10 * prime.length } } } };
      },
    });
    await using t = await mount(controller, { now });
    await t.create(Int, "2", { value: 2 }, { labels: { prime: "" } });
    await t.create(Int, "9", { value: 9 }, { labels: { odd: "" } });
    await t.create(Int, "3", { value: 3 }, { labels: { odd: "", prime: "" } });
    await t.create(Int, "4", { value: 4 });
    expect(t.spec(Sum, "total")).toEqual({ total: 22 });
    const held = () =>
      t
        .list(Int)
        .filter(({ metadata }) => metadata.finalizers.length > 0)
        .map(({ metadata }) => `${metadata.id} v${metadata.version}`);
    expect(held()).toEqual(["2 v2", "3 v2", "9 v2"]);
    for (const id of ["2", "3"])
      await t.store.modifyMetadata(pointerTo(Int, id), ({ labels }) => {
        delete labels.prime;
      });
    await t.settled();
    expect(t.spec(Sum, "total")).toEqual({ total: 2 });
    expect(held()).toEqual(["3 v3", "9 v2"]);
    expect(calls).toBeLessThan(20);
  });

  test("keeps an input while what is held may come from it", async () => {
    let keeps = false;
    const controller = defineController({
      name: "test.Keeper",
      inputs: { int: strong(maybe(Int, "a")), go: maybe(Switch, "go") },
      outputs: { sum: exclusive(Sum) },
      reconcile: ({ inputs }) =>
        keeps ? undefined : { outputs: { sum: inputs.int ? { total: { total: 1 } } : {} } },
    });
    await using t = await mount(controller, { now });
    await t.create(Int, "a", { value: 1 });
    keeps = true;
    await t.destroy(Int, "a");
    expect(t.resource(Int, "a")?.metadata.finalizers).toEqual(["test.Keeper"]);
    keeps = false;
    await t.create(Switch, "go", { on: true });
    expect(t.resource(Int, "a")?.metadata.finalizers).toEqual([]);
  });

  test("puts no finalizer on what is not used yet", async () => {
    const controller = defineController({
      name: "test.Gated",
      inputs: { int: strong(one(Int, "a")), go: gate(Switch, "go") },
      outputs: {},
      reconcile: () => ({ outputs: {} }),
    });
    await using t = await mount(controller, { now });
    await t.create(Int, "a", { value: 1 });
    expect(t.resource(Int, "a")?.metadata.finalizers).toEqual([]);
    await t.create(Switch, "go", { on: true });
    expect(t.resource(Int, "a")?.metadata.finalizers).toEqual(["test.Gated"]);
  });

  test("a reconcile that fails puts no finalizer on", async () => {
    const controller = defineController({
      name: "test.Failing",
      inputs: { int: strong(one(Int, "a")) },
      outputs: {},
      reconcile() {
        throw new Error("no");
      },
    });
    await using t = await mount(controller, { now });
    await t.create(Int, "a", { value: 1 });
    expect(t.resource(Int, "a")?.metadata.finalizers).toEqual([]);
  });
});
