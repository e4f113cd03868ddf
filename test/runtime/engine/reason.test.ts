/** Why a controller last ran, and what is counted of it. */
import { expect, test } from "vitest";
import {
  after,
  all,
  ControllerStatus,
  defineController,
  each,
  exclusive,
  gate,
  maybe,
  RetryAtError,
  seconds,
} from "#runtime";
import { mount } from "#runtime/testing";
import { flaky } from "./flaky-core.ts";
import { Int, START, Str, Sum } from "./toys.ts";

const now = START;

const doubtful = () =>
  defineController({
    name: "test.Doubtful",
    inputs: { int: maybe(Int, "a") },
    outputs: { str: exclusive(Str) },
    reconcile({ inputs: { int }, clock }) {
      if (int?.spec.value === 0) throw new Error("zero");
      if (int?.spec.value === 1)
        return { outputs: { str: {} }, wakeAt: after(clock.now(), seconds(5)) };
      return undefined;
    },
  });

test("the input that changed, a retry, the start: whichever was the last", async () => {
  await using t = await mount(doubtful(), { now });
  const reason = () => t.spec(ControllerStatus, "test.Doubtful")?.lastReason;
  expect(reason()).toBe("start");
  await t.create(Int, "a", { value: 0 });
  expect(reason()).toBe(`${Int.type}(test/a)`);
  await t.advance(seconds(1));
  expect(reason()).toBe("retry");
});

test("a wake-up is a reason too, but no reason to write by itself", async () => {
  const { wrap, core } = flaky();
  await using t = await mount(doubtful(), { now, wrap });
  await t.create(Int, "a", { value: 1 });
  let writes = 0;
  core().beforeCommit = () => {
    writes++;
  };
  await t.advance(seconds(60));
  expect(writes).toBe(0);
  expect(t.engine.metrics().reconcile_cycles["test.Doubtful"]).toBeGreaterThan(10);
  expect(t.spec(ControllerStatus, "test.Doubtful")?.lastReason).toBe("start");
  let wakes = 0;
  const waking = defineController({
    name: "test.Waking",
    inputs: { ready: gate(Sum, "x", () => ++wakes < 3) },
    outputs: {},
    reconcile: ({ clock }) => ({ wakeAt: after(clock.now(), 100) }),
  });
  await t.create(Sum, "x", { total: 0 });
  await t.engine.register(waking);
  await t.settled();
  await t.advance(seconds(1));
  expect(t.spec(ControllerStatus, "test.Waking")).toMatchObject({
    state: "waiting",
    lastReason: "wake-up",
  });
});

test("a failure says when to try again; in the past it has to wait like any other", async () => {
  let delay = 100;
  const controller = defineController({
    name: "test.Retrying",
    inputs: {},
    outputs: {},
    reconcile({ clock }) {
      throw new RetryAtError(after(clock.now(), delay), "not yet");
    },
  });
  await using t = await mount(controller, { now });
  const status = () => t.spec(ControllerStatus, "test.Retrying");
  expect(status()).toMatchObject({ error: { code: "ERR_RETRY_AT" }, attempt: 1 });
  await t.advance(1000);
  expect(status()?.attempt).toBe(11);
  delay = -1;
  await t.advance(100);
  expect(status()?.attempt).toBe(12);
  await t.advance(200);
  expect(status()?.attempt).toBe(12);
});

test("the metrics of a queued controller", async () => {
  const controller = defineController({
    name: "test.Queued",
    inputs: { int: each(Int), sums: all(Sum, { items: ({ spec }) => [`i${spec.total}`] }) },
    outputs: { str: exclusive(Str) },
    reconcile({ inputs: { int }, item, clock }) {
      const { value } = int.spec;
      if (value === 0) throw new Error("zero");
      if (value === 1) return undefined;
      const outputs = { str: { [item]: { value: item } } };
      return value === 2 ? { outputs, wakeAt: after(clock.now(), seconds(1)) } : { outputs };
    },
  });
  await using t = await mount(controller, { now });
  for (const value of [0, 1, 2, 3]) await t.create(Int, `i${value}`, { value });
  await t.create(Sum, "s", { total: 3 });
  await t.update(Sum, "s", (sum) => void (sum.total = 1));
  const only = Object.entries(t.engine.metrics()).flatMap(([name, counts]) => {
    const count = (counts as Record<string, number>)["test.Queued"];
    return count === undefined ? [] : [[name, count]];
  });
  expect(Object.fromEntries(only)).toEqual({
    controller_reads: 6, // the last two items ran together
    controller_writes: 2,
    qcontroller_crashes: 1,
    qcontroller_mapped_in: 2,
    qcontroller_mapped_out: 3,
    qcontroller_processed: 6,
    qcontroller_queue_length: 0,
    qcontroller_reconcile_busy: 0,
    qcontroller_requeues: 2,
    qcontroller_skips: 2,
  });
});
