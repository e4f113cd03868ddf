/** A watch that ends is never fatal: the engine watches again, and misses nothing. */
import { describe, expect, test } from "vitest";
import { pointerTo, seconds, WatchOverrunError } from "#runtime";
import { mount } from "#runtime/testing";
import { flaky, type FlakyCore } from "./flaky-core.ts";
import { Int, intToStr, intsToStrs, START, Str, Sum, sum } from "./toys.ts";

const now = START;

const ends: readonly (readonly [string, (core: FlakyCore) => void])[] = [
  ["fails", (core) => core.failWatches(new WatchOverrunError("buffer overrun"))],
  ["ends without a word", (core) => core.endWatches()],
];

describe.each(ends)("a watch that %s", (_, end) => {
  test("is opened again, and goes on", async () => {
    const { wrap, core } = flaky();
    await using t = await mount(sum(), { now, wrap });
    await t.create(Int, "a", { value: 1 });
    expect(core().watched.sort()).toEqual([Int.type, Sum.type]);
    end(core());
    await t.settled();
    expect(core().watched).toHaveLength(4);
    await t.create(Int, "b", { value: 2 });
    expect(t.spec(Sum, "total")).toEqual({ total: 3 });
    expect(t.resource(Sum, "total")?.metadata.version).toBe(3); // each change was told once
  });

  test.each([
    ["by item", intToStr],
    ["at once", intsToStrs],
  ])("and what happened meanwhile is caught up with, %s", async (_name, controller) => {
    const { wrap, core } = flaky();
    await using t = await mount(controller(), { now, wrap });
    for (const id of ["gone", "held", "changed"]) await t.create(Int, id, { value: 1 });
    // From the fourth end in the same second on, the engine pauses before it watches again.
    for (let i = 0; i < 4; i++) {
      end(core());
      await t.settled();
    }
    await t.store.dropFinalizers(pointerTo(Int, "gone"), controller().name);
    await t.store.teardownAndDestroy(pointerTo(Int, "gone"));
    await t.store.teardown(pointerTo(Int, "held"));
    await t.store.create(Int, "new", { value: 3 });
    await t.store.modify(Int, "changed", (int) => void (int.value = 4));
    await t.settled();
    expect(t.list(Str).map(({ metadata }) => metadata.id)).toEqual(["changed", "gone", "held"]);
    await t.advance(seconds(1));
    expect(t.list(Str).map(({ metadata, spec }) => [metadata.id, spec.value])).toEqual([
      ["changed", "4"],
      ["new", "3"],
    ]);
    expect(t.resource(Int, "held")?.metadata.finalizers).toEqual([]);
  });
});

test("what went while its watch was away is noticed, though no event tells of it", async () => {
  const { wrap, core } = flaky();
  await using t = await mount(intToStr(), { now, wrap });
  for (const id of ["gone", "here"]) await t.create(Int, id, { value: 1 });
  for (let i = 0; i < 4; i++) {
    core().endWatches(Int.type);
    await t.settled();
  }
  await t.store.dropFinalizers(pointerTo(Int, "gone"), intToStr().name);
  await t.store.teardownAndDestroy(pointerTo(Int, "gone"));
  await t.advance(seconds(1));
  expect(t.list(Str).map(({ metadata }) => metadata.id)).toEqual(["here"]);
});

test("a watch that ends again and again is opened less and less often", async () => {
  const { wrap, core } = flaky();
  await using t = await mount(sum(), { now, wrap });
  const opened = () => core().watched.filter((type) => type === Int.type).length;
  for (let tries = 0; tries < 400; tries++) {
    core().endWatches();
    await t.advance(100);
  }
  expect(opened()).toBeLessThan(50);
  await t.advance(seconds(60));
  await t.create(Int, "a", { value: 5 });
  expect(t.spec(Sum, "total")).toEqual({ total: 5 });
});

test("a burst of creations is no problem", async () => {
  await using t = await mount([intToStr(4), sum()], { now });
  const count = 2000;
  await t.store.core.commit(
    Array.from({ length: count }, (_, i) => ({
      op: "create" as const,
      resource: {
        metadata: {
          ...pointerTo(Int, `i${i}`),
          version: 0,
          owner: "",
          phase: "running" as const,
          created: now,
          updated: now,
          labels: {},
          annotations: {},
          finalizers: [],
        },
        spec: { value: 1 },
      },
    })),
  );
  await t.settled();
  expect(t.list(Str)).toHaveLength(count);
  expect(t.spec(Sum, "total")).toEqual({ total: count });
});
