/** Inputs become outputs, and go with them: COSI's conformance suite for engines (cosi.md §8.2). */
import { describe, expect, test } from "vitest";
import { pointerTo } from "#runtime";
import { mount } from "#runtime/testing";
import {
  Int,
  intsToStrs,
  intToStr,
  Sentence,
  START,
  Str,
  strToSentence,
  Sum,
  sum,
} from "./toys.ts";

const now = START;

describe.each([
  ["one item at a time", intToStr],
  ["four items at once", () => intToStr(4)],
  ["all items at once", intsToStrs],
])("a controller that makes text of numbers, %s", (_, controller) => {
  test("follows what is created and updated", async () => {
    await using t = await mount(controller(), { now });
    await t.create(Int, "one", { value: 1 });
    await t.create(Int, "two", { value: 2 });
    expect([t.spec(Str, "one"), t.spec(Str, "two")]).toEqual([{ value: "1" }, { value: "2" }]);
    await t.update(Int, "two", (int) => void (int.value = 33));
    expect(t.spec(Str, "two")).toEqual({ value: "33" });
    expect(t.resource(Str, "one")?.metadata.version).toBe(1);
  });

  test("holds its input until the output is gone", async () => {
    await using t = await mount([controller(), strToSentence()], { now });
    await t.create(Int, "one", { value: 1 });
    expect(t.resource(Int, "one")?.metadata.finalizers).toEqual([controller().name]);
    expect(await t.store.teardown(pointerTo(Int, "one"))).toBe(false);
    await t.settled();
    expect(t.list(Str)).toEqual([]);
    expect(t.list(Sentence)).toEqual([]);
    expect(t.resource(Int, "one")?.metadata).toMatchObject({
      phase: "tearingDown",
      finalizers: [],
    });
  });

  test("waits for a foreign finalizer on the output, and holds only the input of that", async () => {
    await using t = await mount(controller(), { now });
    await t.create(Int, "one", { value: 1 });
    await t.create(Int, "two", { value: 2 });
    await t.store.addFinalizers(pointerTo(Str, "one"), "somebody");
    await t.destroy(Int, "one");
    expect(t.resource(Str, "one")?.metadata.phase).toBe("tearingDown");
    expect(t.resource(Int, "one")?.metadata.finalizers).toEqual([controller().name]);
    await t.destroy(Int, "two");
    expect([t.spec(Str, "two"), t.spec(Int, "two")]).toEqual([null, null]);
    await t.store.dropFinalizers(pointerTo(Str, "one"), "somebody");
    await t.settled();
    expect(t.list(Str)).toEqual([]);
    expect(t.resource(Int, "one")?.metadata.finalizers).toEqual([]);
  });

  test("makes an output anew once the one that is tearing down is gone", async () => {
    await using t = await mount(controller(), { now });
    await t.create(Int, "one", { value: 1 });
    await t.store.addFinalizers(pointerTo(Str, "one"), "somebody");
    await t.store.teardown(pointerTo(Str, "one"), { owner: controller().name });
    await t.settled();
    await t.update(Int, "one", (int) => void (int.value = 2));
    expect(t.spec(Str, "one")).toEqual({ value: "1" });
    await t.store.dropFinalizers(pointerTo(Str, "one"), "somebody");
    await t.settled();
    expect(t.resource(Str, "one")).toMatchObject({
      spec: { value: "2" },
      metadata: { version: 1, phase: "running" },
    });
  });
});

test("a chain of controllers carries changes to its end", async () => {
  await using t = await mount([intToStr(), strToSentence()], { now });
  await t.create(Int, "one", { value: 1 });
  expect(t.spec(Sentence, "one")).toEqual({ value: "1 sentence" });
  await t.update(Int, "one", (int) => void (int.value = 2));
  expect(t.spec(Sentence, "one")).toEqual({ value: "2 sentence" });
  await t.destroy(Int, "one");
  expect([t.spec(Int, "one"), t.spec(Str, "one"), t.spec(Sentence, "one")]).toEqual(
    [null, null, null], // each held by the next until that is gone
  );
});

test("a sum over nothing is there at once, and follows what comes and goes", async () => {
  await using t = await mount(sum(), { now });
  expect(t.spec(Sum, "total")).toEqual({ total: 0 });
  await t.create(Int, "one", { value: 1 });
  await t.create(Int, "two", { value: 2 });
  expect(t.spec(Sum, "total")).toEqual({ total: 3 });
  await t.destroy(Int, "one");
  expect(t.spec(Sum, "total")).toEqual({ total: 2 });
});

test("controllers that share a type leave each other's outputs alone", async () => {
  await using t = await mount([sum("test.A", "a"), sum("test.B", "b")], { now });
  await t.create(Int, "one", { value: 4 });
  expect(t.list(Sum).map(({ metadata, spec }) => [metadata.id, metadata.owner, spec])).toEqual([
    ["a", "test.A", { total: 4 }],
    ["b", "test.B", { total: 4 }],
  ]);
});

test("an engine without controllers runs", async () => {
  await using t = await mount([], { now });
  await t.create(Int, "one", { value: 1 });
  expect(t.engine.graph()).toEqual([]);
});
