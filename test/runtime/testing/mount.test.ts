/** Mounting controllers: every call ends when all is quiet, and time moves only when it is told to. */
import { expect, test } from "vitest";
import { after, defineController, exclusive, maybe, pointerTo, seconds } from "#runtime";
import { mount } from "#runtime/testing";
import { Int, intToStr, START, Str, Sum } from "../engine/toys.ts";

const now = START;

test("what follows from a call is there when it returns", async () => {
  await using t = await mount(intToStr(), { now });
  expect([t.resource(Str, "a"), t.spec(Str, "a"), t.list(Str)]).toEqual([null, null, []]);
  await t.create(Int, "a", { value: 1 }, { labels: { a: "b" } });
  expect(t.spec(Str, "a")).toEqual({ value: "1" });
  expect(t.spec(Str, "a")).toBe(t.resource(Str, "a")?.spec);
  expect(t.resource(Int, "a")?.metadata).toMatchObject({ labels: { a: "b" }, created: START });
  await t.update(Int, "a", (int) => void (int.value = 2));
  expect(t.spec(Str, "a")).toEqual({ value: "2" });
  await t.destroy(Int, "a");
  expect([t.spec(Int, "a"), t.spec(Str, "a")]).toEqual([null, null]);
});

test("destroy respects the finalizers of others", async () => {
  await using t = await mount([], { now });
  await t.create(Int, "a", { value: 1 }, { finalizers: ["somebody"] });
  await t.destroy(Int, "a");
  expect(t.resource(Int, "a")?.metadata).toMatchObject({ phase: "tearingDown" });
  await t.store.dropFinalizers(pointerTo(Int, "a"), "somebody");
  await t.destroy(Int, "a");
  expect(t.resource(Int, "a")).toBeNull();
});

test("advance goes from alarm to alarm, and what follows from one is there before the next", async () => {
  const clockAt: number[] = [];
  const ticker = defineController({
    name: "test.Ticker",
    inputs: {},
    outputs: { sum: exclusive(Sum) },
    reconcile: ({ clock, held }) => ({
      outputs: { sum: { ticks: { total: (held.sum.ticks?.total ?? 0) + 1 } } },
      wakeAt: after(clock.now(), seconds(1)),
    }),
  });
  const follower = defineController({
    name: "test.Follower",
    inputs: { ticks: maybe(Sum, "ticks") },
    outputs: {},
    reconcile: ({ clock }) => void clockAt.push((clock.now() - START) / 1000),
  });
  await using t = await mount([ticker, follower], { now });
  await t.advance(seconds(3.5));
  expect(t.clock.now()).toBe(after(START, seconds(3.5)));
  expect(t.spec(Sum, "ticks")).toEqual({ total: 4 });
  expect([...new Set(clockAt)]).toEqual([0, 1, 2, 3]);
});

test("the store tells the time of the mounted clock", async () => {
  await using t = await mount([], { now });
  await t.create(Int, "a", { value: 1 });
  await t.advance(seconds(5));
  await t.update(Int, "a", (int) => void (int.value = 2));
  expect(t.resource(Int, "a")?.metadata).toMatchObject({
    created: START,
    updated: after(START, seconds(5)),
  });
});
