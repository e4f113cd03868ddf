/** Controllers that come while the engine runs, and runners that change their inputs (cosi.md §6.2–6.4). */
import { expect, test } from "vitest";
import {
  all,
  defineController,
  defineRunner,
  destroyReady,
  each,
  exclusive,
  maybe,
  strong,
  type Inputs,
} from "#runtime";
import { mount } from "#runtime/testing";
import { flaky } from "./flaky-core.ts";
import { Int, intToStr, Sentence, START, Str, Sum, sum } from "./toys.ts";

const now = START;

test("a controller that comes later sees what is there, and finds its own outputs again", async () => {
  const byItem = () =>
    defineController({
      name: "test.ByItem",
      inputs: { int: each(Int) },
      outputs: { strs: exclusive(Str, { itemOf: (id) => id.split("/")[0] ?? "" }) },
      reconcile: ({ inputs, item }) => ({
        outputs: { strs: { [`${item}/x`]: { value: String(inputs.int.spec.value) } } },
      }),
    });
  await using t = await mount(sum(), { now }); // it reads Int already
  await t.create(Int, "a", { value: 1 });
  await t.create(Int, "b", { value: 1 });
  await t.create(Str, "a/old", { value: "x" }, { owner: "test.ByItem" });
  await t.engine.register(byItem());
  await t.settled();
  expect(t.list(Str).map(({ metadata }) => metadata.id)).toEqual(["a/x", "b/x"]);
  await t.update(Int, "a", (int) => void (int.value = 2));
  expect(t.spec(Str, "a/x")).toEqual({ value: "2" });
});

test("a controller that is refused leaves no trace, and neither do those that came with it", async () => {
  await using t = await mount(intToStr(), { now });
  const graph = t.engine.graph();
  await expect(t.engine.register(sum(), intToStr())).rejects.toMatchObject({
    code: "ERR_REGISTRATION",
    message: `controller "${intToStr().name}" already registered`,
  });
  expect(t.engine.graph()).toEqual(graph);
  await t.create(Int, "a", { value: 1 });
  expect(t.list(Sum)).toEqual([]);
  await t.engine.register(sum());
  await t.settled();
  expect(t.spec(Sum, "total")).toEqual({ total: 1 });
});

test("an engine that has stopped takes no controller", async () => {
  await using t = await mount([], { now });
  await t.engine.stop();
  await expect(t.engine.register(sum())).rejects.toThrow(TypeError);
});

test("what can be seen only when it has no finalizers cannot get one", async () => {
  const inputs: Inputs = { ints: strong(destroyReady(all(Int))) };
  const controller = defineController({
    name: "test.Odd",
    inputs,
    outputs: {},
    reconcile: () => undefined,
  });
  await expect(mount(controller, { now })).rejects.toMatchObject({
    message: 'controller "test.Odd": input "ints" cannot be strong and destroy-ready',
  });
});

/** Follows what it is told to. */
function follower() {
  const seen: unknown[] = [];
  const update: { inputs: (inputs: Inputs) => Promise<void> } = { inputs: () => Promise.resolve() };
  const controller = defineRunner({
    name: "test.Follower",
    inputs: { int: maybe(Int, "a") },
    outputs: { str: exclusive(Str) },
    async run({ changes, updateInputs }) {
      update.inputs = updateInputs;
      for await (const inputs of changes) seen.push(Object.keys(inputs ?? {}));
    },
  });
  return { seen, update, controller };
}

test("a runner sees new inputs and not the old ones; nobody watches what nobody reads", async () => {
  const { wrap, core } = flaky();
  const { seen, update, controller } = follower();
  await using t = await mount(controller, { now, wrap });
  await update.inputs({ sentence: maybe(Sentence, "x"), sums: all(Sum) });
  await t.settled();
  await t.create(Int, "a", { value: 1 });
  await t.create(Sum, "b", { total: 1 });
  expect(seen).toEqual([["int"], ["sentence", "sums"], ["sentence", "sums"]]);
  expect(t.engine.graph().map(({ edge, type }) => `${edge} ${type.split(".")[0] ?? ""}`)).toEqual([
    "output-exclusive Strs",
    "input-weak Sentences",
    "input-weak Sums",
  ]);
  core().endWatches();
  await t.settled();
  expect(core().watched.filter((type) => type === Int.type)).toHaveLength(1); // not opened again
  expect(core().watched.filter((type) => type === Sum.type)).toHaveLength(2);
});

test("inputs that do not go together are refused, and the runner keeps those that it has", async () => {
  const { update, controller } = follower();
  await using t = await mount(controller, { now });
  await expect(update.inputs({ a: maybe(Int, "a"), b: maybe(Int, "a") })).rejects.toMatchObject({
    code: "ERR_REGISTRATION",
  });
  await expect(update.inputs({ a: each(Int) })).rejects.toMatchObject({ code: "ERR_REGISTRATION" });
  expect(t.engine.graph().map(({ id }) => id)).toEqual(["", "a"]);
});
