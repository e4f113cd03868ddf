/** The list of controllers is checked as a whole before anything runs (cosi.md §6.2). */
import { expect, test } from "vitest";
import {
  all,
  ControllerStatus,
  defineController,
  defineRunner,
  each,
  exclusive,
  maybe,
  one,
  shared,
  strong,
  type Controller,
  type Inputs,
  type Outputs,
} from "#runtime";
import { mount } from "#runtime/testing";
import { Int, START, Str, Sum } from "./toys.ts";

const now = START;

const controller = (name: string, outputs: Outputs, inputs: Inputs = {}): Controller => ({
  ...defineController({ name, inputs: {}, outputs: {}, reconcile: () => undefined }),
  inputs,
  outputs,
});

const runner = (inputs: Inputs) =>
  defineRunner({ name: "run", inputs, outputs: {}, run: () => Promise.resolve() });

test.each<[string, Controller[], string]>([
  [
    "one name twice",
    [controller("A", {}), controller("A", {})],
    'controller "A" already registered',
  ],
  [
    "a name that the engine has",
    [controller("runtime.Engine", {})],
    'controller "runtime.Engine" already registered',
  ],
  ["no name", [controller("", {})], "a controller has no name"],
  [
    "one type twice exclusively",
    [controller("A", { x: exclusive(Str) }), controller("B", { x: exclusive(Str) })],
    `controller "B": resource "${Str.type}" is already managed in exclusive mode by "A"`,
  ],
  [
    "one type exclusively and then shared",
    [controller("A", { x: exclusive(Str) }), controller("B", { x: shared(Str) })],
    `controller "B": resource "${Str.type}" is already managed in exclusive mode by "A"`,
  ],
  [
    "one type shared and then exclusively",
    [
      controller("C", { x: shared(Str) }),
      controller("A", { x: shared(Str) }),
      controller("B", { x: exclusive(Str) }),
    ],
    `controller "B": resource "${Str.type}" is already managed in shared mode by "A"`,
  ],
  [
    "one type twice exclusively by one controller",
    [controller("A", { x: exclusive(Str), y: exclusive(Str) })],
    `controller "A": resource "${Str.type}" is already managed in exclusive mode by "A"`,
  ],
  [
    "one type twice shared by one controller",
    [controller("A", { x: shared(Str), y: shared(Str) })],
    `duplicate shared controller output: "${Str.type}" -> "A"`,
  ],
  [
    "a type of the engine",
    [controller("A", { x: exclusive(ControllerStatus) })],
    `is already managed in exclusive mode by "runtime.Engine"`,
  ],
  [
    "one input twice",
    [controller("A", {}, { x: one(Int, "a"), y: maybe(Int, "a") })],
    `controller "A": duplicate controller input: "x" and "y" are both ${Int.type}`,
  ],
  [
    "two kinds of items",
    [controller("A", {}, { x: each(Int), y: each(Str) })],
    'controller "A" has more than one input with each()',
  ],
  ["items for run", [runner({ x: each(Int) })], 'controller "run": each() is not for run'],
  [
    "no concurrency",
    [{ ...controller("A", {}), concurrency: 0 }],
    'controller "A": invalid concurrency: 0',
  ],
  [
    "neither reconcile nor run",
    [{ name: "A", inputs: {}, outputs: {}, concurrency: 1 }],
    'controller "A" needs either reconcile or run',
  ],
])("%s is refused", async (_, controllers, message) => {
  await expect(mount(controllers, { now })).rejects.toMatchObject({
    code: "ERR_REGISTRATION",
    message: expect.stringContaining(message) as string,
  });
});

test("an own output can be an input, and so can one kind with several queries and ids", async () => {
  const label = (key: string) => ({ query: { labels: [[{ key, op: "exists" as const }]] } });
  const inputs = {
    own: all(Str),
    a: all(Int, label("a")),
    b: all(Int, label("b")),
    one: maybe(Int, "one"),
    two: maybe(Int, "two"),
    elsewhere: maybe(Int, "one", { namespace: "elsewhere" }),
  };
  await using t = await mount(controller("A", { x: exclusive(Str) }, inputs), { now });
  expect(t.engine.graph()).toHaveLength(7);
});

test("the graph has exclusive outputs, shared outputs and inputs, in order", async () => {
  await using t = await mount(
    [
      controller(
        "B",
        { x: shared(Sum), y: exclusive(Str) },
        { a: all(Int), b: strong(one(Int, "b")) },
      ),
      controller("A", { x: shared(Sum) }, { item: each(Int), other: maybe(Sum, "o") }),
    ],
    { now },
  );
  const lines = t.engine
    .graph()
    .map(({ controller, namespace, type, id, edge }) =>
      [edge, controller, namespace, type.split(".")[0], id].join(" "),
    );
  expect(lines).toEqual([
    "output-exclusive B  Strs ",
    "output-shared A  Sums ",
    "output-shared B  Sums ",
    "input-primary A test Ints ",
    "input-mapped A test Sums o",
    "input-weak B test Ints ",
    "input-strong B test Ints b",
  ]);
});
