/** What a controller returns is what is there afterwards. */
import { expect, test } from "vitest";
import {
  ControllerStatus,
  defineController,
  each,
  exclusive,
  maybe,
  pointerTo,
  resource,
  type Controller,
} from "#runtime";
import { mount } from "#runtime/testing";
import { Int, intToStr, START, Str, Sum, Switch } from "./toys.ts";

const now = START;

/** Returns whatever it is told to. */
function puppet() {
  const told: { strs: Record<string, unknown> | undefined; held: unknown; calls: number } = {
    strs: {},
    held: undefined,
    calls: 0,
  };
  const controller = defineController({
    name: "test.Puppet",
    inputs: { go: maybe(Switch, "go") },
    outputs: { strs: exclusive(Str) },
    reconcile({ held }) {
      told.held = held;
      told.calls++;
      return told.strs && { outputs: { strs: told.strs as Record<string, { value: string }> } };
    },
  });
  return { told, controller };
}

const stateOf = (t: Awaited<ReturnType<typeof mount>>, name = "test.Puppet") =>
  t.spec(ControllerStatus, name);

test("what is returned again by value is not written, and keeps its reference", async () => {
  const { told, controller } = puppet();
  await using t = await mount(controller, { now });
  told.strs = { a: { value: "1" } };
  await t.create(Switch, "go", { on: true });
  const first = t.resource(Str, "a");
  told.strs = { a: { value: "1" } };
  await t.update(Switch, "go", (go) => void (go.on = false));
  expect(told.calls).toBe(3);
  expect(t.resource(Str, "a")).toBe(first);
  expect(first?.metadata).toMatchObject({ owner: "test.Puppet", version: 1, created: now });
});

test("held are the controller's own outputs that are running, by name and id", async () => {
  const { told, controller } = puppet();
  await using t = await mount(controller, { now });
  expect(told.held).toEqual({ strs: {} });
  await t.create(Str, "somebody's", { value: "x" });
  told.strs = { a: { value: "1" }, constructor: { value: "2" } };
  await t.create(Switch, "go", { on: true });
  await t.update(Switch, "go", (go) => void (go.on = false));
  const { strs } = told.held as { strs: Record<string, unknown> };
  expect(Object.keys(strs).sort()).toEqual(["a", "constructor"]);
  expect(strs.a).toBe(t.spec(Str, "a"));
  expect(Reflect.get(strs, "toString")).toBeUndefined();
  expect(() => (strs.b = {})).toThrow(TypeError);
  await t.store.addFinalizers(pointerTo(Str, "a"), "somebody");
  await t.store.teardown(pointerTo(Str, "a"), { owner: "test.Puppet" });
  await t.settled();
  expect(Object.keys((told.held as { strs: object }).strs)).toEqual(["constructor"]);
});

test("ids left out are destroyed, and so are those that are undefined", async () => {
  const { told, controller } = puppet();
  await using t = await mount(controller, { now });
  told.strs = { a: { value: "1" }, b: { value: "2" }, c: { value: "3" } };
  await t.create(Switch, "go", { on: true });
  told.strs = { a: { value: "1" }, b: undefined };
  await t.update(Switch, "go", (go) => void (go.on = false));
  expect(t.list(Str).map(({ metadata }) => metadata.id)).toEqual(["a"]);
});

test("watchers see a teardown before the end", async () => {
  const { told, controller } = puppet();
  await using t = await mount(controller, { now });
  told.strs = { a: { value: "1" } };
  await t.create(Switch, "go", { on: true });
  const phases: string[] = [];
  t.store.watchKind(Str).subscribe((event) => {
    if ("resource" in event) phases.push(`${event.type} ${event.resource.metadata.phase}`);
  });
  told.strs = {};
  await t.update(Switch, "go", (go) => void (go.on = false));
  expect(phases).toEqual(["updated tearingDown", "destroyed tearingDown"]);
});

test("nothing returned keeps what is held", async () => {
  const { told, controller } = puppet();
  await using t = await mount(controller, { now });
  told.strs = { a: { value: "1" } };
  await t.create(Switch, "go", { on: true });
  told.strs = undefined;
  await t.update(Switch, "go", (go) => void (go.on = false));
  expect(told.calls).toBe(3);
  expect(t.spec(Str, "a")).toEqual({ value: "1" });
});

test("labels and annotations of a wrapped output are compared and written like its spec", async () => {
  const { told, controller } = puppet();
  await using t = await mount(controller, { now });
  const wrapped = (label: string) =>
    resource({ value: "1" }, { labels: { label }, annotations: { note: "n" } });
  told.strs = { a: wrapped("x") };
  await t.create(Switch, "go", { on: true });
  const first = t.resource(Str, "a");
  expect(first?.metadata).toMatchObject({ labels: { label: "x" }, annotations: { note: "n" } });
  told.strs = { a: wrapped("x") };
  await t.update(Switch, "go", (go) => void (go.on = false));
  expect(t.resource(Str, "a")).toBe(first);
  told.strs = { a: wrapped("y") };
  await t.update(Switch, "go", (go) => void (go.on = true));
  expect(t.resource(Str, "a")?.metadata).toMatchObject({ labels: { label: "y" }, version: 2 });
  expect(t.resource(Str, "a")?.spec).toBe(first?.spec);
  told.strs = { a: { value: "1" } };
  await t.update(Switch, "go", (go) => void (go.on = false));
  expect(t.resource(Str, "a")?.metadata).toMatchObject({ labels: {}, annotations: {} });
});

test("what is written is frozen to the bottom", async () => {
  const { told, controller } = puppet();
  await using t = await mount(controller, { now });
  told.strs = { a: { value: "1" } };
  await t.create(Switch, "go", { on: true });
  expect(() => ((told.strs?.a as { value: string }).value = "2")).toThrow(TypeError);
  expect(t.spec(Str, "a")).toEqual({ value: "1" });
});

test("the outputs of one reconcile are written together, or not at all", async () => {
  const { told, controller } = puppet();
  await using t = await mount(controller, { now });
  await t.create(Str, "taken", { value: "mine" });
  told.strs = { a: { value: "1" }, taken: { value: "2" }, z: { value: "3" } };
  await t.create(Switch, "go", { on: true });
  expect(t.list(Str).map(({ metadata, spec }) => [metadata.id, spec.value])).toEqual([
    ["taken", "mine"],
  ]);
  expect(stateOf(t)).toMatchObject({
    state: "failing",
    error: {
      code: "ERR_OWNER_CONFLICT",
      message: 'resource Strs.test.trustplane.dev(test/taken) is owned by ""',
    },
  });
  expect(told.calls).toBe(2); // it is no race that could be won
  await t.destroy(Str, "taken");
  await t.advance(1000);
  expect(t.list(Str).map(({ metadata }) => metadata.id)).toEqual(["a", "taken", "z"]);
  expect(stateOf(t)).toMatchObject({ state: "ready", error: null });
});

test("nobody else writes what a controller owns", async () => {
  const { told, controller } = puppet();
  await using t = await mount(controller, { now });
  told.strs = { a: { value: "1" } };
  await t.create(Switch, "go", { on: true });
  await expect(t.update(Str, "a", (str) => void (str.value = "2"))).rejects.toMatchObject({
    code: "ERR_OWNER_CONFLICT",
  });
});

test.each<[string, (t: Awaited<ReturnType<typeof mount>>) => Promise<unknown>]>([
  ["changed", (t) => t.update(Str, "a", (str) => void (str.value = "9"), { owner: "test.Puppet" })],
  ["destroyed", (t) => t.store.destroy(pointerTo(Str, "a"), { owner: "test.Puppet" })],
  [
    "labelled",
    (t) =>
      t.store.modifyMetadata(pointerTo(Str, "a"), (m) => void (m.labels = { x: "y" }), {
        owner: "test.Puppet",
      }),
  ],
])("an output that somebody %s in the owner's name is put right", async (_, meddle) => {
  const { told, controller } = puppet();
  await using t = await mount(controller, { now });
  told.strs = { a: { value: "1" } };
  await t.create(Switch, "go", { on: true });
  await meddle(t);
  await t.settled();
  expect(t.resource(Str, "a")).toMatchObject({ spec: { value: "1" }, metadata: { labels: {} } });
});

test("somebody's finalizer on an output is no reason to run, nor is what was just written", async () => {
  const { told, controller } = puppet();
  await using t = await mount(controller, { now });
  told.strs = { a: { value: "1" } };
  await t.create(Switch, "go", { on: true });
  expect(told.calls).toBe(2);
  await t.store.addFinalizers(pointerTo(Str, "a"), "somebody");
  await t.settled();
  expect(told.calls).toBe(2);
});

test("a controller that reads its own outputs sees what it wrote", async () => {
  const seen: (string | undefined)[] = [];
  const controller = defineController({
    name: "test.Narcissus",
    inputs: { self: maybe(Str, "self") },
    outputs: { self: exclusive(Str) },
    reconcile({ inputs }) {
      seen.push(inputs.self?.spec.value);
      return { outputs: { self: { self: { value: "here" } } } };
    },
  });
  await using t = await mount(controller, { now });
  expect(seen).toEqual([undefined, "here"]);
  expect(t.resource(Str, "self")?.metadata.version).toBe(1);
});

const misuse = (
  reconcile: (item: string) => unknown,
  outputs: Controller["outputs"] = { str: exclusive(Str) },
) =>
  ({
    ...intToStr(),
    name: "test.Misuse",
    outputs,
    reconcile: ({ item }: { item: string }) => reconcile(item),
  }) as Controller;

test.each<[string, Controller, string]>([
  [
    "of another item",
    misuse(() => ({ outputs: { str: { other: { value: "" } } } })),
    'Strs.test.trustplane.dev "other" belongs to item "other", not to "a"; declare itemOf',
  ],
  ["that is missing", misuse(() => ({ outputs: {} })), 'output "str" is missing'],
  [
    "that was not declared",
    misuse(() => ({ outputs: { str: {}, sum: {} } })),
    'there is no output "sum"; there is "str"',
  ],
  [
    "at the wrong place",
    misuse(() => ({ str: {} })),
    'reconcile returned "str"; it returns outputs, wakeAt, holds, destroys, failure',
  ],
])("an output %s is a failure, and nothing is written", async (_, controller, message) => {
  await using t = await mount(controller, { now });
  await t.create(Int, "a", { value: 1 });
  expect(stateOf(t, "test.Misuse")?.error).toEqual({
    code: "ERR_INTERNAL",
    message: expect.stringContaining(message) as string,
  });
  expect(t.list(Str)).toEqual([]);
  expect(t.resource(Int, "a")?.metadata.finalizers).toEqual([]);
});

test("an item has as many outputs as it likes, when it is said whose they are", async () => {
  const held: string[][] = [];
  const controller = defineController({
    name: "test.Counter",
    inputs: { int: each(Int) },
    outputs: {
      strs: exclusive(Str, { itemOf: (id) => id.split("/")[0] ?? "" }),
      sum: exclusive(Sum),
    },
    reconcile({ inputs, item, held: own }) {
      held.push(Object.keys(own.strs));
      const { value } = inputs.int.spec;
      const strs = Array.from({ length: value }, (_, i) => [`${item}/${i}`, { value: "x" }]);
      return {
        outputs: {
          strs: Object.fromEntries(strs) as Record<string, { value: string }>,
          sum: { [item]: { total: value } },
        },
      };
    },
  });
  await using t = await mount(controller, { now });
  await t.create(Int, "a", { value: 2 });
  await t.create(Int, "b", { value: 1 });
  const ids = () => t.list(Str).map(({ metadata }) => metadata.id);
  expect(ids()).toEqual(["a/0", "a/1", "b/0"]);
  await t.update(Int, "a", (int) => void (int.value = 1));
  expect(ids()).toEqual(["a/0", "b/0"]);
  expect(held.at(-1)).toEqual(["a/0", "a/1"]);
  await t.destroy(Int, "a");
  expect(ids()).toEqual(["b/0"]);
  expect(t.spec(Sum, "a")).toBeNull();
});
