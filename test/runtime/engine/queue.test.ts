/** Who runs when: one at a time for each item, so many at once for each controller. */
import { describe, expect, test } from "vitest";
import { all, defineController, each, exclusive, maybe } from "#runtime";
import { mount, seededRandom } from "#runtime/testing";
import { flaky } from "./flaky-core.ts";
import { Int, intToStr, START, Str, strToSentence, Sum, sum, Switch } from "./toys.ts";

const now = START;

/** Notes what runs at once, and is let go on from outside. */
function gated(concurrency: number) {
  const running = new Set<string>();
  const peaks: number[] = [];
  const doors = new Map<string, () => void>();
  const twice: string[] = [];
  const controller = defineController({
    name: "test.Gated",
    inputs: { int: each(Int) },
    outputs: { str: exclusive(Str) },
    concurrency,
    async reconcile({ inputs, item }) {
      if (running.has(item)) twice.push(item);
      running.add(item);
      peaks.push(running.size);
      await new Promise<void>((resolve) => doors.set(item, resolve));
      running.delete(item);
      return { outputs: { str: { [item]: { value: String(inputs.int.spec.value) } } } };
    },
  });
  const open = (item: string) => {
    const door = doors.get(item);
    doors.delete(item);
    door?.();
  };
  return { controller, running, peaks, twice, open, doors };
}

/** Everything that can go on goes on: the engine needs no more than a turn of the event loop. */
const breath = () => new Promise((resolve) => setImmediate(resolve));

test.each([1, 3])("%i items run at once, and no more", async (concurrency) => {
  const g = gated(concurrency);
  await using t = await mount(g.controller, { now });
  for (let i = 0; i < 5; i++) await t.store.create(Int, `i${i}`, { value: i });
  await breath();
  expect([...g.running]).toEqual(["i0", "i1", "i2", "i3", "i4"].slice(0, concurrency));
  while (g.doors.size > 0) {
    for (const item of g.doors.keys()) g.open(item);
    await breath();
  }
  await t.settled();
  expect(Math.max(...g.peaks)).toBe(concurrency);
  expect(t.list(Str)).toHaveLength(5);
});

test("an item that changes while it runs runs once more, not twice at once", async () => {
  const g = gated(4);
  await using t = await mount(g.controller, { now });
  await t.store.create(Int, "a", { value: 1 });
  await breath();
  for (let value = 2; value < 5; value++)
    await t.store.modify(Int, "a", (int) => void (int.value = value));
  await breath();
  expect(g.peaks).toHaveLength(1);
  g.open("a");
  await breath();
  expect(t.spec(Str, "a")).toEqual({ value: "1" });
  g.open("a");
  await t.settled();
  expect(t.spec(Str, "a")).toEqual({ value: "4" });
  expect(g.peaks).toHaveLength(2);
  expect(g.twice).toEqual([]);
});

test("one controller that takes long does not keep the others waiting", async () => {
  const g = gated(1);
  await using t = await mount([g.controller, sum()], { now });
  await t.store.create(Int, "a", { value: 1 });
  await breath();
  expect(t.spec(Sum, "total")).toEqual({ total: 1 });
  expect([...g.running]).toEqual(["a"]);
  g.open("a");
});

test("items that are there before the start run, and so do those that left outputs behind", async () => {
  await using t = await mount([], { now });
  await t.create(Int, "a", { value: 1 });
  await t.create(Str, "orphan", { value: "x" }, { owner: intToStr().name });
  const { createEngine } = await import("#runtime/engine");
  const { clock, random, store } = t;
  await using engine = createEngine({ store, clock, random, controllers: [intToStr()] });
  await engine.start();
  await engine.settled();
  expect(t.list(Str).map(({ metadata }) => metadata.id)).toEqual(["a"]);
});

describe("other inputs of a queued controller", () => {
  const scaled = (calls: string[]) =>
    defineController({
      name: "test.Scaled",
      inputs: {
        int: each(Int),
        on: maybe(Switch, "on"),
        sums: all(Sum, { items: ({ metadata }) => metadata.id.split(",") }),
      },
      outputs: { str: exclusive(Str) },
      reconcile({ inputs, item }) {
        calls.push(item);
        const total = inputs.sums.reduce((sum, { spec }) => sum + spec.total, 0);
        const value = `${inputs.int.spec.value} ${String(inputs.on?.spec.on)} ${total}`;
        return { outputs: { str: { [item]: { value } } } };
      },
    });

  test("concern all items unless they say which", async () => {
    const calls: string[] = [];
    await using t = await mount(scaled(calls), { now });
    for (const id of ["a", "b", "c"]) await t.create(Int, id, { value: 1 });
    calls.length = 0;
    await t.create(Switch, "on", { on: true });
    expect(calls.sort()).toEqual(["a", "b", "c"]);
    calls.length = 0;
    await t.create(Sum, "a,c", { total: 5 });
    expect(calls.sort()).toEqual(["a", "c"]);
    expect(t.spec(Str, "c")).toEqual({ value: "1 true 5" });
    expect(t.spec(Str, "b")).toEqual({ value: "1 true 0" });
    calls.length = 0;
    await t.destroy(Sum, "a,c");
    expect([...new Set(calls)].sort()).toEqual(["a", "c"]);
    expect(t.spec(Str, "c")).toEqual({ value: "1 true 0" });
  });

  test("may concern an item that is not there", async () => {
    const calls: string[] = [];
    await using t = await mount(scaled(calls), { now });
    await t.create(Sum, "nobody", { total: 5 });
    expect(calls).toEqual([]);
    await t.create(Int, "nobody", { value: 1 });
    expect(t.spec(Str, "nobody")).toEqual({ value: "1 undefined 5" });
  });
});

test("a single change of one item among many runs that one and reads no list", async () => {
  const calls: string[] = [];
  const base = intToStr();
  let lists = 0;
  await using t = await mount(
    {
      ...base,
      reconcile: (context) => {
        calls.push(context.item);
        return base.reconcile?.(context);
      },
    },
    {
      now,
      wrap: (store) => ({
        ...store,
        core: Object.assign(Object.create(store.core) as typeof store.core, {
          commit: store.core.commit.bind(store.core),
          watchKind: store.core.watchKind.bind(store.core),
          list: () => Promise.reject(new Error("it listed")),
          snapshot: (kinds: never, read: (view: never) => unknown) =>
            store.core.snapshot(kinds, (view) =>
              read({
                get: (pointer: never) => view.get(pointer),
                list: (kind: never) => {
                  lists++;
                  return view.list(kind);
                },
              } as never),
            ),
        }),
      }),
    },
  );
  for (let i = 0; i < 500; i++) await t.store.create(Int, `i${i}`, { value: i });
  await t.settled();
  expect(calls).toHaveLength(500);
  await t.update(Int, "i250", (int) => void (int.value = -1));
  expect(calls.slice(500)).toEqual(["i250"]);
  expect(t.spec(Str, "i250")).toEqual({ value: "-1" });
  expect(lists).toBe(0);
});

test("items that are gone are forgotten", async () => {
  const { wrap, core } = flaky();
  const controller = defineController({
    name: "test.Forgetful",
    inputs: { int: each(Int), on: maybe(Switch, "on") },
    outputs: { str: exclusive(Str) },
    reconcile: ({ item }) => ({ outputs: { str: { [item]: { value: item } } } }),
  });
  await using t = await mount(controller, { now, wrap });
  for (let i = 0; i < 20; i++) await t.create(Int, `i${i}`, { value: i });
  for (let i = 1; i < 20; i++) await t.destroy(Int, `i${i}`);
  let reads = 0;
  core().beforeSnapshot = () => {
    reads++;
  };
  await t.create(Switch, "on", { on: true });
  expect(reads).toBe(1);
});

describe("choose", () => {
  /** The order in which items ran when this seed chose. */
  const run = async (seed: number) => {
    const order: string[] = [];
    const offers: number[] = [];
    const random = seededRandom(seed);
    const noting = { ...intToStr(8), name: "test.Noting" };
    await using t = await mount(
      [
        {
          ...noting,
          reconcile: async (context) => {
            order.push(`start ${context.item}`);
            await Promise.resolve();
            const result = await noting.reconcile?.(context);
            order.push(`end ${context.item}`);
            return result;
          },
        },
        strToSentence(),
      ],
      {
        now,
        choose(ready) {
          offers.push(ready.length);
          expect(ready.every((name) => /^test\.\w+\/i\d$/.test(name))).toBe(true);
          return (random.bytes(1)[0] ?? 0) % ready.length;
        },
      },
    );
    await Promise.all([0, 1, 2, 3, 4].map((i) => t.store.create(Int, `i${i}`, { value: i })));
    await t.settled();
    expect(t.list(Str)).toHaveLength(5);
    expect(Math.max(...offers)).toBeGreaterThan(1);
    return order;
  };

  test("picks what runs next, one at a time; the same choices make the same order", async () => {
    const [first, again, other] = [await run(1), await run(1), await run(2)];
    expect(first).toEqual(again);
    expect(first).not.toEqual(other);
    const ends = first.filter((_, place) => place % 2 === 1);
    expect(ends).toEqual(first.filter((_, i) => i % 2 === 0).map((s) => s.replace("start", "end")));
  });
});
