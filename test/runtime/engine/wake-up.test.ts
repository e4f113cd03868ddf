/** Wake-ups are returned, absolute, and belong to the clock. */
import { expect, test } from "vitest";
import {
  after,
  ControllerStatus,
  defineController,
  each,
  instantOf,
  maybe,
  rfc3339,
  seconds,
  type Instant,
} from "#runtime";
import { mount } from "#runtime/testing";
import { Int, START, Switch } from "./toys.ts";

const now = START;

/** Notes when it is called, relative to the start, and returns what it is told to. */
function sleeper(next: (at: number) => Instant | null | undefined) {
  const calls: number[] = [];
  const controller = defineController({
    name: "test.Sleeper",
    inputs: { go: maybe(Switch, "go") },
    outputs: {},
    reconcile({ clock }) {
      const at = clock.now() - START;
      calls.push(at);
      const wakeAt = next(at);
      return wakeAt === undefined ? undefined : { outputs: {}, wakeAt };
    },
  });
  return { calls, controller };
}

test("a controller is woken at the instant that it asked for, and not before", async () => {
  const { calls, controller } = sleeper((at) => after(START, at + 1000));
  await using t = await mount(controller, { now });
  await t.advance(999);
  expect(calls).toEqual([0]);
  await t.advance(1);
  expect(calls).toEqual([0, 1000]);
  await t.advance(2500);
  expect(calls).toEqual([0, 1000, 2000, 3000]);
});

test("each successful reconcile replaces the wake-up, also by none", async () => {
  let wakeAt: Instant | null | undefined = after(START, 1000);
  const { calls, controller } = sleeper(() => wakeAt);
  await using t = await mount(controller, { now });
  wakeAt = after(START, 5000);
  await t.create(Switch, "go", { on: true });
  await t.advance(4999);
  expect(calls).toEqual([0, 0]);
  await t.advance(1);
  expect(calls).toEqual([0, 0, 5000, 5000]); // and then that is in the past, which runs it once
  wakeAt = null;
  await t.advance(seconds(10));
  const before = calls.length;
  await t.advance(seconds(10));
  expect(calls).toHaveLength(before);
});

test("nothing returned is no wake-up", async () => {
  let wakeAt: Instant | null | undefined = after(START, 1000);
  const { calls, controller } = sleeper(() => wakeAt);
  await using t = await mount(controller, { now });
  wakeAt = undefined;
  await t.create(Switch, "go", { on: true });
  await t.advance(2000);
  expect(calls).toEqual([0, 0]);
});

test("a wake-up in the past runs at once, and does not spin when there is another", async () => {
  const { calls, controller } = sleeper(() => instantOf(START - 1));
  await using t = await mount(controller, { now });
  expect(calls).toEqual([0, 0]);
  await t.advance(seconds(10));
  const gaps = calls.slice(2).map((at, place) => at - (calls[place + 1] ?? 0));
  expect(gaps.length).toBeGreaterThan(10);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(250);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(750);
});

test("a wake-up that is no instant is a failure, and one that never comes is none", async () => {
  const nowhere = sleeper(() => instantOf(NaN));
  await using t = await mount(nowhere.controller, { now });
  expect(t.spec(ControllerStatus, "test.Sleeper")?.error?.message).toBe("wakeAt is not an instant");
  const never = sleeper(() => instantOf(Infinity));
  await using u = await mount(never.controller, { now });
  expect(u.clock.nextAlarm()).toBeUndefined();
});

test("a change wakes a controller whatever it waits for", async () => {
  const { calls, controller } = sleeper((at) => after(START, at + 60_000));
  await using t = await mount(controller, { now });
  await t.advance(1000);
  await t.create(Switch, "go", { on: true });
  expect(calls).toEqual([0, 1000]);
  await t.advance(60_000);
  expect(calls).toEqual([0, 1000, 61_000]); // the one of the first call is gone
});

test("a failure does not lose the wake-up", async () => {
  let fails = false;
  const { calls, controller } = sleeper(() => {
    if (fails) throw new Error("no");
    return after(START, 1000);
  });
  await using t = await mount(controller, { now });
  fails = true;
  await t.advance(700);
  await t.create(Switch, "go", { on: true }); // fails, and its retry is later than the wake-up
  await t.advance(300);
  expect(calls).toContain(1000);
});

test("items are woken each at its own time", async () => {
  const calls: string[] = [];
  const controller = defineController({
    name: "test.Sleeper",
    inputs: { int: each(Int) },
    outputs: {},
    reconcile({ inputs, item, clock }) {
      calls.push(`${item} ${rfc3339(clock.now()).slice(-4, -1)}`);
      return { outputs: {}, wakeAt: after(clock.now(), inputs.int.spec.value * 1000) };
    },
  });
  await using t = await mount(controller, { now });
  await t.create(Int, "two", { value: 2 });
  await t.create(Int, "three", { value: 3 });
  await t.advance(5000);
  expect(calls).toEqual(["two :00", "three :00", "two :02", "three :03", "two :04"]);
  await t.destroy(Int, "two");
  await t.advance(3000);
  expect(calls.slice(5)).toEqual(["three :06"]);
});
