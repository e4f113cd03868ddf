/** Who reads how controllers are doing is not driven by that it does badly itself. */
import { expect, test } from "vitest";
import { all, ControllerStatus, defineController, defineRunner, each, maybe } from "#runtime";
import { mount } from "#runtime/testing";
import { Int, START, Switch } from "./toys.ts";

const now = START;

/** It ends at some time even when it is driven. */
const CALLS_MAX = 300;

type Reads = "all" | "each" | "mapped" | "everyone";

const inputsOf = {
  all: { statuses: all(ControllerStatus), go: maybe(Switch, "go") },
  each: { statuses: each(ControllerStatus), go: maybe(Switch, "go") },
  mapped: {
    int: each(Int),
    statuses: all(ControllerStatus, { items: () => ["a", "b"] }),
    go: maybe(Switch, "go"),
  },
  everyone: { int: each(Int), statuses: all(ControllerStatus), go: maybe(Switch, "go") },
};

/** Takes a while, and fails as long as it is told to. */
function reader(name: string, reads: Reads = "all") {
  const state = { calls: 0, fails: true };
  const controller = defineController({
    name,
    inputs: inputsOf[reads],
    outputs: {},
    async reconcile() {
      state.calls++;
      for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
      if (state.fails && state.calls < CALLS_MAX) throw new Error(`${name} cannot`);
    },
  });
  return { state, controller };
}

test.each<Reads>(["all", "each", "mapped", "everyone"])(
  "readers of %s that fail wait, and do not drive each other",
  async (reads) => {
    const readers = ["test.A", "test.B", "test.C"].map((name) => reader(name, reads));
    await using t = await mount(
      readers.map(({ controller }) => controller),
      { now },
    );
    await t.create(Int, "a", { value: 1 });
    await t.create(Int, "b", { value: 1 });
    // The items, each once or twice: what was told while they ran for the first time.
    for (const { state } of readers) expect(state.calls).toBeLessThan(10);
    const calls = () => readers.map(({ state }) => state.calls);
    const before = calls();
    await t.create(Switch, "go", { on: true }); // any other input is a reason to try now
    calls().forEach((count, place) => {
      expect(count).toBeGreaterThan(before[place] ?? NaN);
      expect(count).toBeLessThan(20);
    });
    for (const { state } of readers) state.fails = false;
    await t.advance(5000);
    for (const { spec } of t.list(ControllerStatus)) expect(spec).toMatchObject({ state: "ready" });
  },
);

test("its own status is no reason to run", async () => {
  const { state, controller } = reader("test.A");
  state.fails = false;
  await using t = await mount(controller, { now });
  expect(t.spec(ControllerStatus, "test.A")).toMatchObject({ state: "ready" });
  expect(state.calls).toBe(1);
});

test("who reads each status reads its own too", async () => {
  const items = new Set<string>();
  const controller = defineController({
    name: "test.A",
    inputs: { status: each(ControllerStatus) },
    outputs: {},
    reconcile: ({ item }) => void items.add(item),
  });
  const other = reader("test.B");
  await using t = await mount([controller, other.controller], { now });
  expect([...items].sort()).toEqual(["test.A", "test.B"]);
  expect(t.list(ControllerStatus)).toHaveLength(2);
});

test("a status that changes while a reader runs that goes well is read", async () => {
  const seen: string[] = [];
  const door = Promise.withResolvers<undefined>();
  const slow = defineController({
    name: "test.Slow",
    inputs: { statuses: all(ControllerStatus) },
    outputs: {},
    async reconcile({ inputs }) {
      seen.push(inputs.statuses.map(({ metadata }) => metadata.id).join());
      if (seen.length === 1) await door.promise;
    },
  });
  const other = reader("test.B");
  const mounting = mount([slow, other.controller], { now });
  await expect.poll(() => other.state.calls).toBe(1);
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
  door.resolve(undefined);
  await using t = await mounting;
  expect(t.spec(ControllerStatus, "test.B")).toMatchObject({ state: "failing" });
  expect(seen).toEqual(["", "test.B,test.Slow"]);
});

test("a live controller is not told of its own status, but of the others'", async () => {
  const seen: string[][] = [];
  const runner = defineRunner({
    name: "test.Runner",
    inputs: { statuses: all(ControllerStatus), go: maybe(Switch, "go") },
    outputs: {},
    async run({ changes }) {
      for await (const inputs of changes)
        seen.push(inputs?.statuses.map(({ metadata: { id } }) => id) ?? []);
    },
  });
  const { controller } = reader("test.B");
  await using alone = await mount(runner, { now });
  expect(alone.spec(ControllerStatus, "test.Runner")).toMatchObject({ state: "ready" });
  expect(seen).toEqual([[]]);
  await using t = await mount([runner, controller], { now });
  expect(seen.at(-1)).toContain("test.B");
  expect(t.list(ControllerStatus)).toHaveLength(2);
});
