/** A controller that fails is tried again, is seen to fail, and stops nobody else. */
import { describe, expect, test } from "vitest";
import {
  all,
  CodedError,
  ControllerStatus,
  defineController,
  each,
  exclusive,
  maybe,
  seconds,
  type Logger,
} from "#runtime";
import { mount } from "#runtime/testing";
import { Int, intToStr, START, Str, Sum, Switch } from "./toys.ts";

const now = START;

class SpillError extends CodedError {
  readonly code = "ERR_SPILL";
}

/** Fails so many times with what it is given, and writes how often it was called. */
function failing(times: number, failure: () => unknown) {
  const calls: number[] = [];
  const controller = defineController({
    name: "test.Failing",
    inputs: { go: maybe(Switch, "go") },
    outputs: { sum: exclusive(Sum) },
    reconcile({ clock }) {
      calls.push(clock.now() - START);
      if (calls.length <= times) throw failure();
      return { outputs: { sum: { total: { total: calls.length } } } };
    },
  });
  return { calls, controller };
}

const statusOf = (t: Awaited<ReturnType<typeof mount>>, name = "test.Failing") =>
  t.spec(ControllerStatus, name);

test("it is tried again, later and later but not later than after a minute and a half", async () => {
  const { calls, controller } = failing(Infinity, () => new Error("no"));
  await using t = await mount(controller, { now });
  await t.advance(seconds(1200));
  const gaps = calls.slice(1).map((at, place) => at - (calls[place] ?? 0));
  gaps.forEach((gap, place) => {
    const interval = Math.min(500 * 1.5 ** place, 60_000);
    expect(gap).toBeGreaterThanOrEqual(interval / 2 - 1);
    expect(gap).toBeLessThanOrEqual(interval * 1.5 + 1);
  });
  expect(gaps.length).toBeGreaterThan(15);
  expect(new Set(gaps.slice(13)).size).toBeGreaterThan(2); // not in step
});

test("a success starts the delays anew", async () => {
  let on = true;
  const { calls, controller } = failing(0, () => undefined);
  await using t = await mount(
    { ...controller, reconcile: (context) => (on ? fail() : controller.reconcile?.(context)) },
    { now },
  );
  await t.advance(seconds(60));
  expect(statusOf(t)?.attempt).toBeGreaterThan(5);
  on = false;
  await t.create(Switch, "go", { on: true });
  expect(calls).toHaveLength(1);
  expect(statusOf(t)).toMatchObject({ state: "ready", attempt: 0, error: null, nextTry: "" });
  on = true;
  await t.update(Switch, "go", (go) => void (go.on = false));
  expect(statusOf(t)?.attempt).toBe(1);
});

const fail = () => {
  throw new Error("no");
};

test("a changed input is a reason to try at once", async () => {
  const { calls, controller } = failing(1, () => new Error("no"));
  await using t = await mount(controller, { now });
  await t.create(Switch, "go", { on: true });
  expect(calls).toEqual([0, 0]);
  expect(t.spec(Sum, "total")).toEqual({ total: 2 });
  await t.advance(seconds(60)); // and the retry that was due is not
  expect(calls).toHaveLength(2);
});

describe("its status", () => {
  test.each<[string, unknown, { code: string; message: string }]>([
    [
      "a coded error",
      new SpillError("a glass fell"),
      { code: "ERR_SPILL", message: "a glass fell" },
    ],
    ["a mistake", new TypeError("x is null"), { code: "ERR_INTERNAL", message: "x is null" }],
    ["no error", "just text", { code: "ERR_INTERNAL", message: "just text" }],
  ])("shows code and message of %s", async (_, thrown, error) => {
    const { controller } = failing(1, () => thrown);
    await using t = await mount(controller, { now });
    expect(statusOf(t)).toMatchObject({ state: "failing", error, attempt: 1, waitingFor: "" });
    expect(statusOf(t)?.nextTry).toBe("2030-01-01T00:00:00Z");
    await t.advance(seconds(1));
    expect(statusOf(t)).toMatchObject({ state: "ready", error: null, attempt: 0, nextTry: "" });
  });

  test("is the engine's, and is written only when it changes", async () => {
    const { controller, calls } = failing(0, () => undefined);
    await using t = await mount(controller, { now });
    const first = t.resource(ControllerStatus, "test.Failing");
    expect(first?.metadata).toMatchObject({ owner: "runtime.Engine", version: 1 });
    await t.create(Switch, "go", { on: true });
    expect(calls).toHaveLength(2);
    expect(t.resource(ControllerStatus, "test.Failing")).toBe(first);
  });

  test("can be an input", async () => {
    const seen: string[][] = [];
    const watcher = defineController({
      name: "test.Watcher",
      inputs: { statuses: all(ControllerStatus) },
      outputs: {},
      reconcile: ({ inputs }) => {
        seen.push(inputs.statuses.map(({ metadata, spec }) => `${metadata.id} ${spec.state}`));
        return undefined;
      },
    });
    await using t = await mount([failing(1, () => new Error("no")).controller, watcher], { now });
    await t.advance(seconds(1));
    expect(seen.flat()).toContain("test.Failing failing");
    expect(seen.at(-1)).toEqual(["test.Failing ready", "test.Watcher ready"]);
  });
});

test("what was thrown is logged without specs", async () => {
  const lines: string[] = [];
  const note = (fields: object, message: string) => lines.push(JSON.stringify({ fields, message }));
  const log: Logger = { debug: note, info: note, warn: note, error: note, child: () => log };
  const { controller } = failing(1, () => new SpillError("a glass fell"));
  await using t = await mount(controller, { now, log });
  await t.create(Int, "secret", { value: 12_345 });
  await t.advance(seconds(1));
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { fields: { controllers: 1 }, message: "engine started" },
    {
      fields: { item: "", attempt: 1, code: "ERR_SPILL", message: "a glass fell" },
      message: "reconcile failed",
    },
    { fields: { item: "", tries: 1 }, message: "recovered" },
  ]);
});

test("nobody else is stopped", async () => {
  const { controller } = failing(Infinity, () => new Error("no"));
  await using t = await mount([controller, intToStr()], { now });
  await t.create(Int, "one", { value: 1 });
  expect(t.spec(Str, "one")).toEqual({ value: "1" });
});

test("an item that fails blocks no other, and recovers when its input changes", async () => {
  const controller = defineController({
    name: "test.Failing",
    inputs: { int: each(Int) },
    outputs: { str: exclusive(Str) },
    reconcile({ inputs, item }) {
      const { value } = inputs.int.spec;
      if (value < 0) throw new Error(`${item} is negative`);
      return { outputs: { str: { [item]: { value: String(value) } } } };
    },
  });
  await using t = await mount(controller, { now });
  await t.create(Int, "a", { value: -1 });
  await t.create(Int, "b", { value: -2 });
  await t.create(Int, "ok", { value: 1 });
  expect(t.spec(Str, "ok")).toEqual({ value: "1" });
  expect(statusOf(t)).toMatchObject({ state: "failing", error: { message: "a is negative" } });
  await t.update(Int, "a", (int) => void (int.value = 5));
  expect(t.spec(Str, "a")).toEqual({ value: "5" });
  expect(statusOf(t)).toMatchObject({ state: "failing", error: { message: "b is negative" } });
  await t.destroy(Int, "b");
  expect(statusOf(t)).toMatchObject({ state: "ready", error: null });
});
