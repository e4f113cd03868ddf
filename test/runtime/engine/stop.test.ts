/** Start and stop: nothing runs before the one, nothing is written after the other. */
import { expect, test } from "vitest";
import { ControllerStatus, defineController, exclusive, maybe, pointerTo, seconds } from "#runtime";
import { createEngine } from "#runtime/engine";
import { mount, seededRandom } from "#runtime/testing";
import { openMemoryStore } from "#runtime/store";
import { flaky } from "./flaky-core.ts";
import { Int, intToStr, START, Str, sum, Sum } from "./toys.ts";

const now = START;

test("a reconcile that is running is told, abandoned, and writes nothing", async () => {
  const started = Promise.withResolvers<AbortSignal>();
  const door = Promise.withResolvers<undefined>();
  const controller = defineController({
    name: "test.Slow",
    inputs: { int: maybe(Int, "int") },
    outputs: { sum: exclusive(Sum) },
    async reconcile({ inputs, signal }) {
      if (inputs.int) {
        started.resolve(signal);
        await door.promise;
      }
      return { outputs: { sum: { total: { total: inputs.int?.spec.value ?? 0 } } } };
    },
  });
  await using t = await mount(controller, { now });
  await t.store.create(Int, "int", { value: 1 });
  const signal = await started.promise;
  expect(signal.aborted).toBe(false);
  await t.engine.stop(); // does not wait for it
  expect(signal.aborted).toBe(true);
  door.resolve(undefined);
  await new Promise((resolve) => setImmediate(resolve));
  expect(t.spec(Sum, "total")).toEqual({ total: 0 });
});

test.each(["test.SumController", "runtime.Engine"])(
  "a commit of %s is waited for",
  async (whose) => {
    const { wrap, core } = flaky();
    let fails = false;
    const base = sum();
    const reconcile: typeof base.reconcile = (context) => {
      if (fails) throw new Error("so that there is a status to be written");
      return base.reconcile?.(context);
    };
    await using t = await mount({ ...base, reconcile }, { now, wrap });
    const started = Promise.withResolvers<undefined>();
    const door = Promise.withResolvers<undefined>();
    core().beforeCommit = ([write]) => {
      if (write?.owner !== whose) return;
      started.resolve(undefined);
      return door.promise;
    };
    fails = whose === "runtime.Engine";
    await t.store.create(Int, "int", { value: 1 });
    await started.promise;
    let stopped = false;
    const stop = t.engine.stop().then(() => (stopped = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(stopped).toBe(false);
    door.resolve(undefined);
    await stop;
    expect([t.spec(Sum, "total")?.total, t.spec(ControllerStatus, base.name)?.state]).toEqual(
      fails ? [0, "failing"] : [1, "ready"],
    );
  },
);

test("after stop nothing runs, whatever changes and however late it gets", async () => {
  let calls = 0;
  const base = sum();
  await using t = await mount(
    {
      ...base,
      reconcile: () => {
        calls++;
        throw new Error("retried");
      },
    },
    { now },
  );
  expect(t.clock.nextAlarm()).toBeDefined();
  await t.engine.stop();
  expect(t.clock.nextAlarm()).toBeUndefined();
  const before = calls;
  await t.create(Int, "int", { value: 1 });
  await t.advance(seconds(600));
  expect(calls).toBe(before);
});

test("stop can be called again, and before start", async () => {
  const store = openMemoryStore();
  const engine = createEngine({
    store,
    clock: (await mount([], { now })).clock,
    random: seededRandom(1),
    controllers: [intToStr()],
  });
  await engine.settled();
  await Promise.all([engine.stop(), engine.stop()]);
  await engine.stop();
  await engine.settled();
  await expect(engine.start()).rejects.toThrow(TypeError);
});

test("an engine is started once", async () => {
  await using t = await mount(sum(), { now });
  await expect(t.engine.start()).rejects.toThrow("an engine is started once");
});

test("a store that is closed is told by start", async () => {
  const store = openMemoryStore();
  await store.close();
  const { clock, random } = await mount([], { now });
  const engine = createEngine({ store, clock, random, controllers: [sum()] });
  await expect(engine.start()).rejects.toMatchObject({ code: "ERR_STORE_CLOSED" });
  await engine.stop();
});

test("whoever starts after another goes on where that one stopped", async () => {
  await using t = await mount(intToStr(), { now });
  await t.create(Int, "a", { value: 1 });
  await t.create(Int, "b", { value: 2 });
  const kept = t.resource(Str, "b");
  await t.engine.stop();
  await t.store.teardown(pointerTo(Int, "a"));
  const { store, clock, random } = t;
  await using engine = createEngine({ store, clock, random, controllers: [intToStr()] });
  await engine.start();
  await engine.settled();
  expect(t.list(Str)).toEqual([kept]);
  expect(t.resource(Str, "b")).toBe(kept);
  expect(t.resource(Int, "a")?.metadata.finalizers).toEqual([]);
});

test("settled does not resolve between a commit and what follows from it", async () => {
  const { wrap, core } = flaky();
  await using t = await mount([intToStr(), sum()], { now, wrap });
  core().afterCommit = () => new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 10; i++) {
    await t.store.create(Int, `i${i}`, { value: 1 });
    await t.engine.settled();
    expect([t.list(Str).length, t.spec(Sum, "total")?.total]).toEqual([i + 1, i + 1]);
  }
});
