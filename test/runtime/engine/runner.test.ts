/** Controllers of the run tier: live things that follow their inputs and publish what they are. */
import { describe, expect, test } from "vitest";
import {
  all,
  ControllerStatus,
  defineRunner,
  exclusive,
  maybe,
  one,
  pointerTo,
  seconds,
  shared,
  strong,
} from "#runtime";
import { mount } from "#runtime/testing";
import { flaky } from "./flaky-core.ts";
import { Int, START, Str, Sum, Switch } from "./toys.ts";

const now = START;

/** Publishes what it gets, and notes it. */
function mirror(onValue: (value: number | undefined) => Promise<void> | void = () => {}) {
  const seen: (number | null)[] = [];
  const log: string[] = [];
  const controller = defineRunner({
    name: "test.Mirror",
    inputs: { int: strong(one(Int, "a")) },
    outputs: { str: exclusive(Str) },
    async run({ changes, publish, signal }) {
      log.push("start");
      for await (const inputs of changes) {
        const value = inputs?.int.spec.value;
        seen.push(value ?? null);
        await onValue(value);
        await publish({ str: value === undefined ? {} : { a: { value: String(value) } } });
      }
      log.push(signal.aborted ? "stop" : "end");
    },
  });
  return { seen, log, controller };
}

const statusOf = (t: Awaited<ReturnType<typeof mount>>) => t.spec(ControllerStatus, "test.Mirror");

test("gets its inputs, then each change of them, and publishes", async () => {
  const { seen, controller } = mirror();
  await using t = await mount(controller, { now });
  expect(seen).toEqual([null]);
  expect(statusOf(t)).toMatchObject({
    state: "waiting",
    waitingFor: "Ints.test.trustplane.dev(test/a): doesn't exist",
  });
  await t.create(Int, "a", { value: 1 });
  expect(t.spec(Str, "a")).toEqual({ value: "1" });
  expect(t.resource(Str, "a")?.metadata.owner).toBe("test.Mirror");
  expect(statusOf(t)).toMatchObject({ state: "ready", waitingFor: "" });
  await t.create(Int, "other", { value: 5 });
  await t.update(Int, "a", (int) => void (int.value = 2));
  expect(seen).toEqual([null, 1, 2]);
  expect(t.resource(Str, "a")?.metadata.version).toBe(2);
});

test("holds a strong input until it has let go of it", async () => {
  const { seen, controller } = mirror();
  await using t = await mount(controller, { now });
  await t.create(Int, "a", { value: 1 });
  expect(t.resource(Int, "a")?.metadata.finalizers).toEqual(["test.Mirror"]);
  await t.store.addFinalizers(pointerTo(Str, "a"), "somebody");
  await t.destroy(Int, "a");
  expect(seen).toEqual([null, 1, null]);
  expect(t.resource(Str, "a")?.metadata.phase).toBe("tearingDown");
  expect(t.resource(Int, "a")?.metadata.finalizers).toEqual(["test.Mirror"]);
  await t.store.dropFinalizers(pointerTo(Str, "a"), "somebody");
  await t.settled();
  expect(t.resource(Str, "a")).toBeNull();
  expect(t.resource(Int, "a")?.metadata.finalizers).toEqual([]);
});

test("an output that is taken away while it is committed is published again", async () => {
  const { controller } = mirror();
  const { core, wrap } = flaky();
  await using t = await mount(controller, { now, wrap });
  let taken = 0;
  core().afterCommit = async () => {
    if (taken > 0 || !t.resource(Str, "a")) return;
    taken += 1;
    await t.store.destroy(pointerTo(Str, "a"), { owner: "test.Mirror" });
  };
  await t.create(Int, "a", { value: 1 });
  expect(taken).toBe(1);
  expect(t.spec(Str, "a")).toEqual({ value: "1" });
});

test("skips what changed while it was busy, and the engine counts as busy until it asks", async () => {
  const door = Promise.withResolvers<undefined>();
  const busy = Promise.withResolvers<undefined>();
  const { seen, controller } = mirror(async (value) => {
    if (value !== 1) return;
    busy.resolve(undefined);
    await door.promise;
  });
  await using t = await mount(controller, { now });
  await t.store.create(Int, "a", { value: 1 });
  await busy.promise;
  for (const value of [2, 3, 4]) await t.store.modify(Int, "a", (int) => void (int.value = value));
  let settled = false;
  const settling = t.settled().then(() => (settled = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(settled).toBe(false);
  door.resolve(undefined);
  await settling;
  expect(seen).toEqual([null, 1, 4]);
  expect(t.spec(Str, "a")).toEqual({ value: "4" });
});

describe("a throw", () => {
  test("restarts it after a pause, is seen, and forgotten once it goes well", async () => {
    let fails = true;
    const { seen, log, controller } = mirror((value) => {
      if (value === 1 && fails) throw new Error("port in use");
    });
    await using t = await mount(controller, { now });
    await t.create(Int, "a", { value: 1 });
    expect(statusOf(t)).toMatchObject({
      state: "failing",
      attempt: 1,
      error: { code: "ERR_INTERNAL", message: "port in use" },
    });
    await t.advance(seconds(5));
    expect(statusOf(t)?.attempt).toBeGreaterThan(2);
    fails = false;
    await t.advance(seconds(60));
    expect(statusOf(t)).toMatchObject({ state: "ready", attempt: 0, error: null });
    expect(t.spec(Str, "a")).toEqual({ value: "1" });
    const starts = log.length;
    expect(seen.filter((value) => value === 1)).toHaveLength(starts);
    await t.advance(seconds(600));
    expect(log).toHaveLength(starts);
  });

  test("of what it publishes reaches it, as when somebody else owns that", async () => {
    const { controller } = mirror();
    await using t = await mount(controller, { now });
    await t.create(Str, "a", { value: "mine" });
    await t.create(Int, "a", { value: 1 });
    expect(statusOf(t)).toMatchObject({ state: "failing", error: { code: "ERR_OWNER_CONFLICT" } });
    expect(t.spec(Str, "a")).toEqual({ value: "mine" });
  });
});

test("a return ends it for good; its outputs stay", async () => {
  let runs = 0;
  const controller = defineRunner({
    name: "test.Mirror",
    inputs: { int: maybe(Int, "a") },
    outputs: { str: exclusive(Str) },
    async run({ publish }) {
      runs++;
      await publish({ str: { a: { value: "done" } } });
    },
  });
  await using t = await mount(controller, { now });
  await t.create(Int, "a", { value: 1 });
  await t.advance(seconds(600));
  expect(runs).toBe(1);
  expect(t.spec(Str, "a")).toEqual({ value: "done" });
  expect(statusOf(t)).toMatchObject({ state: "ready" });
});

test("who has seen enough is not waited for, and can look again", async () => {
  const seen: (number | undefined)[] = [];
  const again = Promise.withResolvers<undefined>();
  const controller = defineRunner({
    name: "test.Mirror",
    inputs: { int: maybe(Int, "a") },
    outputs: {},
    async run({ changes }) {
      for await (const inputs of changes) {
        seen.push(inputs?.int?.spec.value);
        if (inputs?.int) break;
      }
      await again.promise;
      for await (const inputs of changes) seen.push(inputs?.int?.spec.value);
    },
  });
  await using t = await mount(controller, { now });
  await t.create(Int, "a", { value: 1 });
  await t.update(Int, "a", (int) => void (int.value = 2));
  expect(seen).toEqual([undefined, 1]);
  again.resolve(undefined);
  await t.update(Int, "a", (int) => void (int.value = 3));
  expect(seen.at(-1)).toBe(3);
});

test("stop ends its changes, and waits until it has returned", async () => {
  const { log, controller } = mirror();
  await using t = await mount(controller, { now });
  await t.engine.stop();
  expect(log).toEqual(["start", "stop"]);
});

test("stop ends the pause after a throw", async () => {
  const { log, controller } = mirror(() => {
    throw new Error("no");
  });
  await using t = await mount(controller, { now });
  await t.engine.stop();
  await t.advance(seconds(600));
  expect(log).toEqual(["start"]);
});

test("what it publishes is compared, labelled and written like what a reconcile returns", async () => {
  const controller = defineRunner({
    name: "test.Lister",
    inputs: { ints: all(Int), go: maybe(Switch, "go") },
    outputs: { sums: shared(Sum) },
    async run({ changes, publish }) {
      for await (const inputs of changes) {
        const ids = inputs?.ints.map(({ metadata }) => metadata.id) ?? [];
        await publish({ sums: Object.fromEntries(ids.map((id) => [id, { total: 1 }])) });
      }
    },
  });
  await using t = await mount(controller, { now });
  await t.create(Sum, "somebody's", { total: 9 });
  await t.create(Int, "a", { value: 1 });
  await t.create(Int, "b", { value: 1 });
  const a = t.resource(Sum, "a");
  await t.create(Switch, "go", { on: true });
  await t.destroy(Int, "b");
  expect(t.list(Sum).map(({ metadata }) => metadata.id)).toEqual(["a", "somebody's"]);
  expect(t.resource(Sum, "a")).toBe(a);
});

test("publications one on the other end with the last", async () => {
  const controller = defineRunner({
    name: "test.Eager",
    inputs: { int: maybe(Int, "a") },
    outputs: { str: exclusive(Str) },
    async run({ changes, publish }) {
      for await (const inputs of changes) {
        const value = inputs?.int?.spec.value ?? 0;
        await Promise.all(
          [1, 2, 3].map((i) => publish({ str: { a: { value: `${value}.${i}` } } })),
        );
      }
    },
  });
  const { wrap, core } = flaky();
  await using t = await mount(controller, { now, wrap });
  let delay = 3;
  core().beforeCommit = async () => {
    for (let turns = delay--; turns > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve));
  };
  await t.create(Int, "a", { value: 7 });
  expect(t.spec(Str, "a")).toEqual({ value: "7.3" });
  expect(t.resource(Str, "a")?.metadata.version).toBe(6);
});
