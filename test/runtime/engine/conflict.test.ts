/** A write that lost a race is never applied: the reconcile runs again on a fresh snapshot. */
import { expect, test } from "vitest";
import {
  ControllerStatus,
  defineController,
  exclusive,
  maybe,
  NotFoundError,
  OwnerConflictError,
  pointerTo,
  strong,
  VersionConflictError,
} from "#runtime";
import { mount } from "#runtime/testing";
import { flaky } from "./flaky-core.ts";
import { Int, START, Str, Sum, sum } from "./toys.ts";

const now = START;

test("an output that changed since the snapshot is not overwritten, and nothing else is written", async () => {
  const { wrap, core } = flaky();
  const held: unknown[] = [];
  const controller = defineController({
    name: "test.Racer",
    inputs: { int: maybe(Int, "int") },
    outputs: { strs: exclusive(Str) },
    reconcile({ inputs, held: { strs } }) {
      held.push(strs.a?.value);
      const value = String(inputs.int?.spec.value);
      return { outputs: { strs: { a: { value }, [`only ${value}`]: { value } } } };
    },
  });
  await using t = await mount(controller, { now, wrap });
  const seen: string[][] = [];
  let races = 1;
  core().beforeCommit = async () => {
    if (races-- <= 0) return;
    await t.store.modify(Str, "a", (str) => void (str.value = "meddled"), { owner: "test.Racer" });
    seen.push(t.list(Str).map(({ metadata }) => metadata.id));
  };
  await t.create(Int, "int", { value: 7 });
  expect(held).toEqual([undefined, "undefined", "meddled"]);
  expect(t.spec(Str, "a")).toEqual({ value: "7" });
  expect(seen).toEqual([["a", "only undefined"]]);
  expect(t.spec(ControllerStatus, "test.Racer")).toMatchObject({ state: "ready", attempt: 0 });
});

test("an input that changed while the finalizer was put on is read again", async () => {
  const { wrap, core } = flaky();
  const values: (number | undefined)[] = [];
  const controller = defineController({
    name: "test.Racer",
    inputs: { int: strong(maybe(Int, "int")) },
    outputs: { sum: exclusive(Sum) },
    reconcile({ inputs }) {
      values.push(inputs.int?.spec.value);
      return { outputs: { sum: { total: { total: inputs.int?.spec.value ?? 0 } } } };
    },
  });
  await using t = await mount(controller, { now, wrap });
  let races = 1;
  core().beforeCommit = async () => {
    if (races-- > 0) await t.store.modify(Int, "int", (int) => void (int.value = 2));
  };
  await t.create(Int, "int", { value: 1 });
  expect(values.slice(0, 3)).toEqual([undefined, 1, 2]);
  expect(t.spec(Sum, "total")).toEqual({ total: 2 });
  expect(t.resource(Int, "int")?.metadata.finalizers).toEqual(["test.Racer"]);
});

test("an output that gets a finalizer before it is destroyed waits for that", async () => {
  const { wrap, core } = flaky();
  let wanted = true;
  const controller = defineController({
    name: "test.Racer",
    inputs: { int: maybe(Int, "int") },
    outputs: { sum: exclusive(Sum) },
    reconcile: () => ({ outputs: { sum: wanted ? { total: { total: 1 } } : {} } }),
  });
  await using t = await mount(controller, { now, wrap });
  let races = 1;
  core().beforeCommit = async () => {
    if (races-- > 0) await t.store.addFinalizers(pointerTo(Sum, "total"), "somebody");
  };
  wanted = false;
  await t.create(Int, "int", { value: 1 });
  expect(t.resource(Sum, "total")?.metadata).toMatchObject({
    phase: "tearingDown",
    finalizers: ["somebody"],
  });
});

test("whoever loses without end fails, and tries later", async () => {
  const { wrap, core } = flaky();
  await using t = await mount(sum(), { now, wrap });
  let commits = 0;
  core().beforeCommit = async (writes) => {
    if (writes.some((write) => write.owner !== "test.SumController")) return;
    commits++;
    await t.store.modify(Sum, "total", (spec) => void (spec.total = -commits), {
      owner: "test.SumController",
    });
  };
  await t.create(Int, "int", { value: 7 }); // ends, although each try makes the next one stale
  const status = () => t.spec(ControllerStatus, "test.SumController");
  expect(status()).toMatchObject({
    state: "failing",
    error: { code: "ERR_VERSION_CONFLICT" },
  });
  core().beforeCommit = () => {};
  await t.advance(60_000);
  expect(t.spec(Sum, "total")).toEqual({ total: 7 });
});

test("a store that cannot write is a failure that passes", async () => {
  const { wrap, core } = flaky();
  await using t = await mount(sum(), { now, wrap });
  let broken = true;
  core().beforeCommit = (writes) => {
    if (broken && writes.some(({ owner }) => owner === "test.SumController"))
      throw new Error("disk full");
  };
  await t.create(Int, "int", { value: 7 });
  expect(t.spec(Sum, "total")).toEqual({ total: 0 });
  expect(t.spec(ControllerStatus, "test.SumController")?.error?.message).toBe("disk full");
  broken = false;
  await t.advance(1000);
  expect(t.spec(Sum, "total")).toEqual({ total: 7 });
});

test("a store that cannot read is a failure that passes, and is not asked without end", async () => {
  const { wrap, core } = flaky();
  await using t = await mount(sum(), { now, wrap });
  let reads = 0;
  core().beforeSnapshot = () => {
    if (++reads < 4) throw new Error("disk gone");
  };
  await t.create(Int, "int", { value: 7 });
  expect(reads).toBe(1);
  expect(t.spec(ControllerStatus, "test.SumController")?.error?.message).toBe("disk gone");
  await t.advance(60_000);
  expect(t.spec(Sum, "total")).toEqual({ total: 7 });
});

test.each([
  ["not found", new NotFoundError(pointerTo(Int, "a"))],
  ["a conflict", new VersionConflictError(pointerTo(Int, "a"), 1, 2)],
  ["somebody else's", new OwnerConflictError(pointerTo(Int, "a"), "somebody")],
])("what a reconcile itself throws is no lost race, also %s", async (_, error) => {
  let calls = 0;
  const controller = defineController({
    name: "test.Failing",
    inputs: { int: maybe(Int, "int") },
    outputs: {},
    reconcile() {
      calls++;
      throw error;
    },
  });
  await using t = await mount(controller, { now });
  expect(calls).toBe(1);
  expect(t.spec(ControllerStatus, "test.Failing")).toMatchObject({
    attempt: 1,
    error: { code: error.code },
  });
});
