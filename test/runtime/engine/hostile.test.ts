/** What controllers, clocks and disks can do to an engine, and must neither end nor mislead it. */
import { Observable } from "rxjs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  all,
  ControllerStatus,
  defineController,
  defineRunner,
  each,
  exclusive,
  hours,
  instantOf,
  manualClock,
  maybe,
  minutes,
  pointerTo,
  RetryAtError,
  strong,
} from "#runtime";
import { createEngine } from "#runtime/engine";
import { openMemoryStore, storeOver, type CoreStore, type Store } from "#runtime/store";
import { mount, seededRandom } from "#runtime/testing";
import { flaky } from "./flaky-core.ts";
import { Int, START, Str, sum, Sum, Switch } from "./toys.ts";

const now = START;
const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(() => {
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

/** The event loop goes round: a rejection that nobody handles shows. */
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

const onInt = { inputs: { int: maybe(Int, "a") }, outputs: {} };

describe("what is thrown", () => {
  const oddity = (): Error => Object.create(null) as Error; // it cannot be made a text

  test.each([
    ["that has no text", oddity],
    ["that asks for a try in no time", () => new RetryAtError(instantOf(Infinity), "never")],
  ])("%s is a failure as any other", async (_, thrown) => {
    const name = "test.Odd";
    const reconcile = () => {
      throw thrown();
    };
    await using t = await mount([defineController({ name, ...onInt, reconcile }), sum()], { now });
    await t.create(Int, "a", { value: 1 });
    await turn();
    expect(t.spec(ControllerStatus, name)).toMatchObject({ state: "failing" });
    expect(t.spec(Sum, "total")).toEqual({ total: 1 });
  });

  test("that has no text does not end a runner or a run hook", async () => {
    const starts = { run: 0, runHook: 0 };
    const failOnce = async (what: keyof typeof starts) => {
      if (starts[what]++ === 0) throw oddity();
    };
    const runner = defineRunner({ name: "test.Runner", ...onInt, run: () => failOnce("run") });
    const hooked = defineController({
      name: "test.Hooked",
      ...onInt,
      reconcile: () => ({}),
      runHook: () => failOnce("runHook"),
    });
    await using t = await mount([runner, hooked], { now });
    await turn();
    await t.advance(minutes(1));
    expect(starts).toEqual({ run: 2, runHook: 2 });
  });

  test("by one of many items while the others are written is handled", async () => {
    const controller = defineController({
      name: "test.Mixed",
      inputs: { int: each(Int) },
      outputs: { str: exclusive(Str) },
      reconcile({ inputs, item }) {
        if (inputs.int.spec.value === 7) return Promise.reject(new Error("seven"));
        return { outputs: { str: { [item]: { value: item } } } };
      },
    });
    const { wrap, core } = flaky();
    await using t = await mount(controller, { now, wrap });
    await t.create(Int, "first", { value: 0 }); // the engine learns how the controller returns
    core().beforeCommit = turn;
    await Promise.all([1, 2, 7, 9].map((value) => t.store.create(Int, `i${value}`, { value })));
    await t.settled();
    expect(t.list(Str)).toHaveLength(4);
  });
});

test("a query that throws is a failure of its controller", async () => {
  const id = {
    test: (): boolean => {
      throw new Error("no such id");
    },
  };
  const reconcile = () => ({});
  const run = async ({ changes }: { changes: AsyncIterable<unknown> }) => {
    for await (const _ of changes);
  };
  const inputs = { ints: all(Int, { query: { id } }) };
  const plain = defineController({ name: "test.Plain", inputs, outputs: {}, reconcile });
  const runner = defineRunner({ name: "test.Runner", inputs, outputs: {}, run });
  await using t = await mount([plain, runner, sum()], { now });
  await t.create(Int, "a", { value: 1 });
  await t.advance(minutes(1));
  for (const name of ["test.Plain", "test.Runner"])
    expect(t.spec(ControllerStatus, name)).toMatchObject({
      state: "failing",
      error: { message: "no such id" },
    });
  expect(t.spec(Sum, "total")).toEqual({ total: 1 });
});

test("a resource that could not be mapped to items, and then can, is seen by them", async () => {
  const seen: Record<string, number> = {};
  const items = ({ spec }: { readonly spec: { readonly value: string } }) => {
    if (spec.value === "bad") throw new Error("bad");
    return [spec.value];
  };
  const controller = defineController({
    name: "test.Mapped",
    inputs: { int: each(Int), strs: all(Str, { items }) },
    outputs: {},
    reconcile({ inputs, item }) {
      seen[item] = inputs.strs.length;
    },
  });
  await using t = await mount(controller, { now });
  await t.create(Int, "a", { value: 1 });
  await t.create(Int, "b", { value: 1 });
  await t.create(Str, "s", { value: "bad" });
  await t.update(Str, "s", (str) => void (str.value = "a"));
  expect(seen).toEqual({ a: 1, b: 0 });
});

test("a controller that is registered while the engine starts runs once", async () => {
  let runs = 0;
  const runner = defineRunner({
    name: "test.Runner",
    ...onInt,
    async run({ changes }) {
      runs++;
      for await (const _ of changes);
    },
  });
  const clock = manualClock(START);
  await using store = openMemoryStore({ clock });
  await using engine = createEngine({
    ...{ store, clock, random: seededRandom(1), controllers: [sum()] },
  });
  const starting = engine.start();
  await engine.register(runner);
  await starting;
  await engine.settled();
  expect(runs).toBe(1);
});

test("a run hook that pauses does not wait for an instant that is years away", async () => {
  let starts = 0;
  const controller = defineController({
    name: "test.Hooked",
    ...onInt,
    reconcile: () => ({}),
    async runHook() {
      if (starts++ === 0) throw new Error("once");
    },
  });
  await using t = await mount(controller, { now });
  t.clock.stepTo(instantOf(START - hours(100)));
  await t.settled();
  await turn();
  expect(starts).toBe(2);
});

describe("a store that fails once", () => {
  test("leaves no status that is not true", async () => {
    const controller = defineController({
      name: "test.Picky",
      ...onInt,
      reconcile({ inputs }) {
        if (inputs.int?.spec.value === 1) throw new Error("one");
      },
    });
    const { wrap, core } = flaky();
    await using t = await mount(controller, { now, wrap });
    await t.create(Int, "a", { value: 1 });
    core().beforeCommit = () => {
      throw new Error("the disk is full");
    };
    await t.update(Int, "a", (int) => void (int.value = 2));
    expect(t.spec(ControllerStatus, "test.Picky")).toMatchObject({ state: "failing" });
    core().beforeCommit = () => undefined;
    await t.advance(minutes(1));
    expect(t.spec(ControllerStatus, "test.Picky")).toMatchObject({ state: "ready" });
    expect(t.clock.nextAlarm()).toBeUndefined();
  });

  test.each(["advance", "stepTo"] as const)(
    "leaves no output of a runner away: %s",
    async (passing) => {
      const runner = defineRunner({
        name: "test.Runner",
        inputs: onInt.inputs,
        outputs: { sum: exclusive(Sum) },
        async run({ changes, publish }) {
          for await (const _ of changes) await publish({ sum: { total: { total: 1 } } });
        },
      });
      const { wrap, core } = flaky();
      await using t = await mount(runner, { now, wrap });
      core().beforeSnapshot = () => {
        throw new Error("the disk is full");
      };
      await t.destroy(Sum, "total", { owner: "test.Runner" });
      core().beforeSnapshot = () => undefined;
      expect(t.spec(Sum, "total")).toBeNull();
      if (passing === "advance") await t.advance(minutes(1));
      else t.clock.stepTo(instantOf(START - hours(100)));
      await t.settled();
      expect(t.spec(Sum, "total")).toEqual({ total: 1 });
      expect(t.clock.nextAlarm()).toBeUndefined();
    },
  );
});

describe("a finalizer", () => {
  const finalizersOf = async (store: Store, id: string) =>
    (await store.get(Int, id))?.metadata.finalizers;

  test("comes off an item that left the query while no engine ran", async () => {
    const controller = defineController({
      name: "test.Labelled",
      inputs: { int: strong(each(Int, { query: { labels: [[{ key: "on", op: "exists" }]] } })) },
      outputs: { str: exclusive(Str) },
      reconcile: () => ({ outputs: { str: {} } }),
    });
    const clock = manualClock(START);
    await using store = openMemoryStore({ clock });
    const live = async (act: () => Promise<unknown>) => {
      const options = { store, clock, random: seededRandom(1), controllers: [controller] };
      await using engine = createEngine(options);
      await engine.start();
      await act();
      await engine.settled();
    };
    await live(() => store.create(Int, "a", { value: 1 }, { labels: { on: "" } }));
    expect(await finalizersOf(store, "a")).toEqual(["test.Labelled"]);
    await store.modifyMetadata(pointerTo(Int, "a"), ({ labels }) => {
      delete labels.on;
    });
    await live(() => Promise.resolve());
    expect(await finalizersOf(store, "a")).toEqual([]);
  });

  const sharing = (items?: () => string[]) =>
    defineController({
      name: "test.Sharing",
      inputs: { str: each(Str), ints: strong(all(Int, items && { items })) },
      outputs: { sum: exclusive(Sum) },
      reconcile: ({ inputs, item }) => ({
        outputs: { sum: { [item]: { total: inputs.ints.length } } },
      }),
    });

  test("of one item's input is not taken off by another item", async () => {
    await using t = await mount(
      sharing(() => ["a"]),
      { now },
    );
    await t.create(Str, "a", { value: "" });
    await t.create(Str, "b", { value: "" });
    await t.create(Int, "x", { value: 1 });
    const held = t.resource(Int, "x");
    expect(held?.metadata.finalizers).toEqual(["test.Sharing"]);
    await t.update(Str, "b", (str) => void (str.value = "new"));
    expect(t.resource(Int, "x")).toBe(held);
    await t.destroy(Int, "x");
    expect(t.resource(Int, "x")).toBeNull();
  });

  test.each(["before", "after"])(
    "comes off what was used by items that are gone, torn down %s the engine starts",
    async (when) => {
      const clock = manualClock(START);
      await using store = openMemoryStore({ clock });
      const options = { store, clock, random: seededRandom(1), controllers: [sharing()] };
      await store.create(Int, "x", { value: 1 }, { finalizers: ["test.Sharing"] });
      if (when === "before") await store.teardown(pointerTo(Int, "x"));
      await using engine = createEngine(options);
      await engine.start();
      if (when === "after") await store.teardown(pointerTo(Int, "x"));
      await engine.settled();
      expect(await finalizersOf(store, "x")).toEqual([]);
      expect((await store.get(ControllerStatus, "test.Sharing"))?.spec.state).toBe("ready");
    },
  );

  test("comes off inputs that a runner has no more, after the next ones were used", async () => {
    const runner = defineRunner({
      name: "test.Runner",
      inputs: { ints: strong(all(Int)), go: maybe(Switch, "go") },
      outputs: {},
      async run({ changes, updateInputs }) {
        for await (const value of changes)
          if (value?.go) await updateInputs({ two: strong(maybe(Int, "b")) });
      },
    });
    await using t = await mount(runner, { now });
    await t.create(Int, "a", { value: 1 });
    await t.create(Int, "b", { value: 2 });
    expect(t.resource(Int, "a")?.metadata.finalizers).toEqual(["test.Runner"]);
    await t.create(Switch, "go", { on: true });
    expect(t.resource(Int, "a")?.metadata.finalizers).toEqual([]);
    expect(t.resource(Int, "b")?.metadata.finalizers).toEqual(["test.Runner"]);
  });
});

test("what runs that failed watched is not watched any more", async () => {
  let watches = 0;
  const counting = (core: CoreStore): CoreStore => ({
    ...{ atomic: core.atomic, close: () => core.close() },
    get: (pointer) => core.get(pointer),
    list: (kind, query) => core.list(kind, query),
    commit: (writes) => core.commit(writes),
    snapshot: (kinds, read) => core.snapshot(kinds, read),
    watchKind: (kind, options) => core.watchKind(kind, options),
    watch: (pointer, options) =>
      new Observable((subscriber) => {
        watches++;
        subscriber.add(core.watch(pointer, options).subscribe(subscriber));
        return () => watches--;
      }),
  });
  const signals: AbortSignal[] = [];
  const fail = async ({ whileRunning }: { whileRunning: (of: typeof int) => AbortSignal }) => {
    signals.push(whileRunning(int));
    await turn();
    throw new Error("again");
  };
  const int = pointerTo(Int, "a");
  const runner = defineRunner({ name: "test.Runner", ...onInt, run: fail });
  const hooked = defineController({
    name: "test.Hooked",
    ...onInt,
    reconcile: () => ({}),
    runHook: fail,
  });
  const clock = manualClock(START);
  await using store = openMemoryStore({ clock });
  await store.create(Int, "a", { value: 1 });
  const counted = storeOver(counting(store.core));
  await using engine = createEngine({
    ...{ store: counted, clock, random: seededRandom(1), controllers: [runner, hooked] },
  });
  await engine.start();
  for (let tries = 0; tries < 4; tries++) {
    await turn();
    await turn();
    clock.advanceTo(instantOf(clock.now() + minutes(5)));
  }
  await turn();
  await turn();
  expect(signals.length).toBeGreaterThan(4);
  expect(signals.every(({ aborted }) => aborted)).toBe(true);
  expect(watches).toBe(0);
});
