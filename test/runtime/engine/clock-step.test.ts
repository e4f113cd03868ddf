/** When the clock is set, nothing waits longer than it would have by duration. */
import { describe, expect, test } from "vitest";
import {
  after,
  at,
  ControllerStatus,
  defineController,
  defineRunner,
  each,
  hours,
  maybe,
  minutes,
  seconds,
  type Instant,
  type Logger,
} from "#runtime";
import { mount } from "#runtime/testing";
import { flaky } from "./flaky-core.ts";
import { Int, START, sum, Sum, Switch } from "./toys.ts";

const now = START;

describe.each([
  ["back", at("2027-01-01")],
  ["forward", at("2033-01-01")],
])("a clock that is set %s", (_, to: Instant) => {
  test("runs who wanted to be woken, whose wake-up is then of the new time", async () => {
    const calls: number[] = [];
    const controller = defineController({
      name: "test.Sleeper",
      inputs: { go: maybe(Switch, "go") },
      outputs: {},
      reconcile({ clock }) {
        calls.push(clock.now());
        return { outputs: {}, wakeAt: after(clock.now(), hours(1)) };
      },
    });
    await using t = await mount(controller, { now });
    t.clock.stepTo(to);
    await t.settled();
    expect(calls).toEqual([START, to]);
    await t.advance(hours(2));
    expect(calls.slice(2)).toEqual([to + hours(1), to + hours(2)]);
  });

  test("runs each item once, also who waits for a change only", async () => {
    const calls: string[] = [];
    const controller = defineController({
      name: "test.Sleeper",
      inputs: { int: each(Int) },
      outputs: {},
      reconcile({ inputs, item, clock }) {
        calls.push(item);
        const wait = inputs.int.spec.value;
        return { outputs: {}, wakeAt: wait === 0 ? null : after(clock.now(), wait) };
      },
    });
    await using t = await mount(controller, { now });
    await t.create(Int, "a", { value: 0 });
    await t.create(Int, "b", { value: hours(1) });
    t.clock.stepTo(to);
    await t.settled();
    expect(calls).toEqual(["a", "b", "a", "b"]);
    await t.advance(hours(1));
    expect(calls.slice(4)).toEqual(["b"]);
  });

  test("tries again what has failed, and goes on to do so", async () => {
    const calls: number[] = [];
    const controller = defineController({
      name: "test.Failing",
      inputs: { go: maybe(Switch, "go") },
      outputs: {},
      reconcile({ clock }) {
        calls.push(clock.now());
        if (calls.length < 4) throw new Error("no");
      },
    });
    await using t = await mount(controller, { now });
    t.clock.stepTo(to);
    await t.settled();
    expect(calls).toEqual([START, to]);
    expect(t.spec(ControllerStatus, "test.Failing")?.nextTry.slice(0, 10)).toBe(
      new Date(to).toISOString().slice(0, 10),
    );
    await t.advance(seconds(10));
    expect(calls).toHaveLength(4);
    expect(t.spec(ControllerStatus, "test.Failing")).toMatchObject({ state: "ready" });
  });

  test("ends the pause of what runs all the time, and starts nothing that runs", async () => {
    const starts: number[] = [];
    const controller = defineRunner({
      name: "test.Mirror",
      inputs: { int: maybe(Int, "a") },
      outputs: {},
      async run({ changes, clock }) {
        starts.push(clock.now());
        if (starts.length < 3) throw new Error("port in use");
        for await (const _ of changes);
      },
    });
    await using t = await mount(controller, { now });
    t.clock.stepTo(to);
    await t.settled();
    expect(starts).toEqual([START, to]);
    await t.advance(seconds(10));
    expect(starts).toHaveLength(3);
    t.clock.stepTo(after(to, -minutes(30)));
    await t.settled();
    await t.create(Int, "a", { value: 1 });
    expect(starts).toHaveLength(3);
    expect(t.spec(ControllerStatus, "test.Mirror")).toMatchObject({ state: "ready" });
  });

  test("opens a broken watch again", async () => {
    const { wrap, core } = flaky();
    await using t = await mount(sum(), { now, wrap });
    for (let i = 0; i < 4; i++) {
      core().endWatches();
      await t.settled();
    }
    await t.create(Int, "a", { value: 1 });
    expect(t.spec(Sum, "total")).toEqual({ total: 0 }); // while the watch pauses
    t.clock.stepTo(to);
    await t.settled();
    expect(t.spec(Sum, "total")).toEqual({ total: 1 });
    expect(t.clock.nextAlarm()).toBeUndefined();
    const watched = core().watched.length;
    t.clock.stepTo(after(to, minutes(1))); // and the pause is over once only
    await t.settled();
    expect(core().watched).toHaveLength(watched);
  });

  test("is no reason to count a watch as one that ends soon", async () => {
    const { wrap, core } = flaky();
    await using t = await mount(sum(), { now, wrap });
    for (let i = 0; i < 3; i++) {
      core().endWatches();
      await t.settled();
    }
    const watched = core().watched.length;
    await t.advance(minutes(1));
    t.clock.stepTo(to);
    await t.advance(minutes(1));
    core().endWatches();
    await t.settled();
    expect(core().watched).toHaveLength(watched + 2);
  });

  test("runs who takes long once more, and not for the old wake-up too", async () => {
    const calls: number[] = [];
    const door = Promise.withResolvers<undefined>();
    const entered = Promise.withResolvers<undefined>();
    const controller = defineController({
      name: "test.Sleeper",
      inputs: { go: maybe(Switch, "go") },
      outputs: {},
      async reconcile({ clock }) {
        calls.push(clock.now());
        if (calls.length === 2) {
          entered.resolve(undefined);
          await door.promise;
        }
        return { outputs: {}, wakeAt: after(START, calls.length === 1 ? minutes(1) : 9e13) };
      },
    });
    await using t = await mount(controller, { now });
    t.clock.stepTo(to);
    await entered.promise;
    t.clock.advanceTo(after(to, minutes(2)));
    door.resolve(undefined);
    await t.settled();
    expect(calls).toEqual([START, to]);
  });

  test("is no matter to an engine that was stopped", async () => {
    const calls: number[] = [];
    const controller = defineController({
      name: "test.Sleeper",
      inputs: { go: maybe(Switch, "go") },
      outputs: {},
      reconcile: ({ clock }) => void calls.push(clock.now()),
    });
    const said: string[] = [];
    const say = (_fields: object, message: string) => said.push(message);
    const log: Logger = { debug: say, info: say, warn: say, error: say, child: () => log };
    await using t = await mount(controller, { now, log });
    await t.engine.stop();
    t.clock.stepTo(to);
    await t.advance(hours(1));
    expect(said).toEqual(["engine started", "engine stopped"]);
    expect(calls).toEqual([START]);
    expect(t.clock.nextAlarm()).toBeUndefined();
  });
});
