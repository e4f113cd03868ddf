/** Each fault does what it says, shown with a list of events that is written down here. */
import {
  after,
  at,
  days,
  defineController,
  defineResource,
  exclusive,
  hours,
  minutes,
  one,
  seconds,
} from "#runtime";
import {
  defineScenario,
  simulate,
  type NodeView,
  type SimulationEvent,
  type WorldView,
} from "#runtime/simulation";
import { expect, test } from "vitest";
import { z } from "zod";

const START = at("2030-01-01");
const Count = defineResource({
  type: "Counts.test.dev",
  namespace: "test",
  spec: z.object({ value: z.number() }),
});
const Copy = defineResource({
  type: "Copies.test.dev",
  namespace: "test",
  spec: z.object({ value: z.number() }),
});

const copies = defineController({
  name: "test.CopyController",
  inputs: { count: one(Count, "count") },
  outputs: { copy: exclusive(Copy) },
  reconcile: ({ inputs }) => ({ outputs: { copy: { copy: { value: inputs.count.spec.value } } } }),
});

type Fault<Event = SimulationEvent> = Event extends unknown ? Omit<Event, "at" | "node"> : never;

/** Sets the count to 1 after two hours, with faults before and after; looks at each step. */
async function watched(
  events: readonly (readonly [after: number, fault: Fault])[],
  look: (node: NodeView, minute: number) => unknown,
) {
  const seen: unknown[] = [];
  const scenario = defineScenario({
    name: "faults",
    start: START,
    horizon: days(1),
    controllers: () => [copies],
    kinds: [Count, Copy],
    setup: async ({ create }) => {
      await create(Count, "count", { value: 0 });
    },
    operations: {
      counts: {
        rate: 0,
        run: async ({ modify, files }) => {
          await modify(Count, "count", (draft) => {
            draft.value++;
          });
          files.set("counted", "yes");
        },
      },
    },
    script: () =>
      [...events, [hours(2), { kind: "operation", name: "counts" }] as const].map(
        ([when, fault]) => ({ ...fault, at: after(START, when), node: "node" }),
      ),
    always: () => ({
      "it is looked at": (world: WorldView) => {
        const now = look(world, (world.now - START) / minutes(1));
        if (JSON.stringify(now) !== JSON.stringify(seen.at(-1))) seen.push(now);
        return true;
      },
    }),
    eventually: {
      "the copy is the count's": ({ spec }) =>
        spec(Copy, "copy")?.value === spec(Count, "count")?.value,
    },
  });
  const lines: string[] = [];
  const { failure, counts } = await simulate(scenario, {
    seed: 1,
    trace: (line) => lines.push(line),
  });
  expect(failure).toBeNull();
  return { seen, counts, trace: lines.join("\n") };
}

const values = (node: NodeView) => [
  node.spec(Count, "count")?.value ?? null,
  node.spec(Copy, "copy")?.value ?? null,
];
const up = (node: NodeView) => node.isUp;

test("without a fault the copy follows at once", async () => {
  const { seen } = await watched([], values);
  expect(seen.at(-1)).toEqual([1, 1]);
});

test("a machine that goes down before its commit has not done it, and nobody was told", async () => {
  const fault = { kind: "crash", point: "before commit", down: minutes(5) } as const;
  const { seen, trace } = await watched([[hours(1), fault]], values);
  expect(seen.at(-1)).toEqual([0, 0]);
  expect(trace).not.toContain("refused");
});

test("one that goes down after its commit has done it, and nobody was told", async () => {
  const fault = { kind: "crash", point: "after commit", down: minutes(5) } as const;
  const { seen } = await watched([[hours(1), fault]], (node) => [
    ...values(node),
    node.files.get("counted") ?? "not told",
  ]);
  expect(seen.at(-1)).toEqual([1, 1, "not told"]);
});

test.each(["crash", "restart"] as const)(
  "after a %s a node is down, and comes up again",
  async (kind) => {
    const fault =
      kind === "crash"
        ? { kind, point: "idle" as const, down: minutes(7) }
        : { kind, down: minutes(7) };
    const { seen, counts } = await watched([[hours(1), fault]], up);
    expect(seen).toEqual([true, false, true]);
    expect(counts.ends).toBe(1);
  },
);

test("who stands still does nothing, and then everything", async () => {
  const { seen } = await watched(
    [[minutes(119), { kind: "pause", for: minutes(30) }]],
    (node, minute) => [node.spec(Count, "count")?.value === 1 && minute < 149],
  );
  expect(seen).toEqual([[false]]);
});

test("commits fail, after those that are to go well, and what failed is tried again", async () => {
  const fault = { kind: "writeFails", after: 1, commits: 2 } as const;
  const { seen, trace } = await watched([[hours(1), fault]], values);
  expect(seen.at(-1)).toEqual([1, 1]);
  expect(seen).toContainEqual([1, 0]);
  expect(trace).toContain("reconcile failed");
});

test("a commit that takes long holds up the process", async () => {
  const { trace } = await watched([[hours(1), { kind: "writeLate", for: seconds(20) }]], values);
  expect(trace).toContain(`"what":"write","at":${String(after(START, hours(2) + seconds(20)))}`);
});

test("what was committed since is gone after a loss", async () => {
  const fault = { kind: "commitsLost", for: hours(3), down: minutes(1) } as const;
  const { seen } = await watched([[hours(1), fault]], values);
  expect(seen.slice(-3)).toEqual([
    [1, 1],
    [null, null],
    [0, 0],
  ]);
});

test("a full disk refuses what it has no room for by its code, and takes it later", async () => {
  const large = "x".repeat(100_000);
  const Large = defineResource({ type: "Larges.test.dev", namespace: "test", spec: z.string() });
  const scenario = defineScenario({
    name: "full",
    start: START,
    horizon: days(1),
    controllers: () => [],
    operations: {
      writes: {
        rate: 0,
        run: async ({ store }) => {
          await store.create(Large, "large", large);
        },
      },
    },
    script: () => [
      { at: after(START, hours(1)), node: "node", kind: "diskFull", for: hours(3) },
      ...[2, 5].map((hour) => ({
        ...{ at: after(START, hours(hour)), node: "node" },
        ...({ kind: "operation", name: "writes" } as const),
      })),
    ],
    always: {
      "it is there once there is room": ({ list, now }) =>
        now === after(START, hours(5)) ||
        list(Large).length === (now < after(START, hours(5)) ? 0 : 1),
    },
  });
  const lines: string[] = [];
  const { failure } = await simulate(scenario, { seed: 1, trace: (line) => lines.push(line) });
  expect(failure).toBeNull();
  expect(lines.filter((line) => line.includes('"code":"ERR_STORE_FULL"'))).toHaveLength(1);
});

test.each(["overrun", "error", "complete"] as const)(
  "watches end by %s, again and again, and are opened again",
  async (end) => {
    const { seen, trace } = await watched(
      [[minutes(119.99), { kind: "watchEnds", end, again: 7 }]],
      values,
    );
    expect(seen.at(-1)).toEqual([1, 1]);
    expect(trace).toContain("watch ended");
  },
);

test("while watches lag nobody hears of a change, and then everybody does", async () => {
  const { seen } = await watched([[hours(1), { kind: "watchLags", for: hours(2) }]], values);
  expect(seen.slice(-2)).toEqual([
    [1, 0],
    [1, 1],
  ]);
});

const errors = (node: NodeView) => Math.round(node.clockError / minutes(1));

test("a clock is off, goes wrong, or is set, and is right in the end", async () => {
  const skew = await watched([[0, { kind: "clockSkew", by: minutes(-8) }]], errors);
  expect(skew.seen).toContain(-8);
  expect(skew.seen.at(-1) === 0).toBe(true);
  const drift = await watched(
    [[0, { kind: "clockDrift", ppm: 200, for: hours(20) }]],
    ({ clockError }) => clockError > 1000,
  );
  expect(drift.seen).toContain(true);
  const step = { kind: "clockStep", by: days(2), for: hours(3), noticed: 0 } as const;
  const { seen } = await watched([[hours(1), step]], errors);
  expect(seen).toEqual([0, 2 * 24 * 60, 0]);
});

test("a machine comes up in 1970", async () => {
  const fault = { kind: "bootIn1970", for: minutes(10), down: minutes(1) } as const;
  const { seen } = await watched([[hours(1), fault]], (node) =>
    new Date(node.clock.now()).getUTCFullYear(),
  );
  expect(seen).toContain(1970);
  expect(seen.at(-1)).toBe(2030);
});
