/** What the simulator says of itself is so: hashes, counts, refusals and what is checked. */
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
} from "#runtime";
import {
  defineScenario,
  simulate,
  type ScenarioDefinition,
  type SimulationEvent,
  type Verdict,
} from "#runtime/simulation";
import { expect, test } from "vitest";
import { z } from "zod";

const start = at("2030-01-01");
const Thing = defineResource({
  type: "Things.test.dev",
  namespace: "test",
  spec: z.object({ value: z.number() }),
});
const Copy = defineResource({
  type: "Copies.test.dev",
  namespace: "test",
  spec: z.object({ value: z.number() }),
});

const named = (choices: Partial<ScenarioDefinition>) =>
  defineScenario({
    name: "honest",
    start,
    horizon: days(1),
    controllers: () => [],
    kinds: [Thing, Copy],
    ...choices,
  });
const event = (time: number, given: object) =>
  ({ at: after(start, time), node: "node", ...given }) as SimulationEvent;

test("other contents give another hash", async () => {
  const written = (value: number) =>
    simulate(
      named({
        setup: async ({ create }) => {
          await create(Thing, "a", { value });
        },
      }),
      {
        seed: 1,
      },
    );
  expect((await written(1)).hash).toBe((await written(1)).hash);
  expect((await written(1)).hash).not.toBe((await written(2)).hash);
});

test("a trace changes nothing, whatever is logged; what its sink throws is thrown", async () => {
  const odd = named({
    controllers: ({ log }) => {
      log.info({ serial: 10n, what: "over", at: "zz", node: 3 }, "odd");
      return [];
    },
  });
  const lines: string[] = [];
  const traced = await simulate(odd, { seed: 1, trace: (line) => lines.push(line) });
  expect(traced.failure).toBeNull();
  expect(traced.hash).toBe((await simulate(odd, { seed: 1 })).hash);
  const log = JSON.parse(lines.find((line) => line.includes('"odd"')) ?? "") as object;
  expect(log).toMatchObject({ what: "log", node: "node", fields: { serial: "10", what: "over" } });
  const full = () => {
    throw new Error("the sink is full");
  };
  await expect(simulate(odd, { seed: 1, trace: full })).rejects.toThrow("the sink is full");
});

test("a node that cannot start in the end is a failure that says why", async () => {
  const { failure } = await simulate(
    named({
      horizon: minutes(10),
      setup: async ({ store }) => store.destroy({ namespace: "test", type: "T", id: "none" }),
    }),
    { seed: 1 },
  );
  expect(failure).toMatchObject({ property: "every node runs", when: "eventually" });
  expect(failure?.problems[0]).toMatch(/^node does not: it cannot start: ERR_NOT_FOUND: /);
});

test("a setup that was cut short while it waited for the network is begun again", async () => {
  const scenario = named({
    nodes: ["node", "other"],
    controllers({ name, network }) {
      if (name === "other") network.serve("hello", () => new Uint8Array());
      return [];
    },
    async setup({ name, network, create }) {
      if (name === "other") return;
      await network.call("other", "hello", new Uint8Array());
      await create(Thing, "a", { value: 1 });
    },
    script: () => [event(1, { kind: "crash", point: "idle", down: minutes(1) })],
    eventually: { "it is set up": ({ spec }) => spec(Thing, "a") !== null },
  });
  expect((await simulate(scenario, { seed: 1 })).failure).toBeNull();
});

test("a property answers with true, false or strings, and is named otherwise", async () => {
  const ask = (verdict: unknown) =>
    simulate(named({ always: { "all is well": () => verdict as Verdict } }), { seed: 1 });
  expect((await ask("it is not")).failure?.problems).toEqual(["it is not"]);
  await expect(ask(Promise.resolve(false))).rejects.toThrow(
    'the property "all is well" returned a promise',
  );
  await expect(ask(undefined)).rejects.toThrow(TypeError);
  const throwing = named({
    always: {
      "all is well": () => {
        throw new Error("no such thing");
      },
    },
  });
  const { failure } = await simulate(throwing, { seed: 1 });
  expect(failure).toMatchObject({ property: "all is well", when: "thrown" });
  expect(failure?.problems[0]).toContain("the property itself failed: Error: no such thing");
});

test("faults, events and horizons that are none are refused", async () => {
  const faults = (given: object) => () => named({ faults: given });
  expect(faults({ crashes: 2 })).toThrow(/^there is no fault crashes; there is crash, restart/);
  expect(faults({ crash: -2 })).toThrow("rate of the fault crash is -2");
  expect(faults({ crash: { rate: "x" } })).toThrow(TypeError);
  expect(faults({ crash: { rate: 1, until: 3 } })).toThrow("the fault crash has no until");
  const scripted = (given: SimulationEvent) =>
    simulate(named({ script: () => [given] }), { seed: 1 });
  for (const odd of [
    event(1, { kind: "pause", for: 1, node: "nod" }),
    event(1, { kind: "paus", for: 1 }),
    event(1, { kind: "pause" }),
    event(1, { kind: "operation", name: "none" }),
    event(NaN, { kind: "pause", for: 1 }),
  ])
    await expect(scripted(odd)).rejects.toThrow(TypeError);
  for (const horizon of [NaN, -1, 0, Infinity, 1e300])
    await expect(simulate(named({}), { seed: 1, horizon })).rejects.toThrow(TypeError);
});

test("no fault begins after the last or outlasts it", async () => {
  const { events, counts } = await simulate(
    named({
      script: () => [
        event(hours(23), { kind: "diskFull", for: hours(9) }),
        event(days(1) + minutes(1), { kind: "diskFull", for: hours(1) }),
      ],
      eventually: { "there is room": ({ isWritable }) => isWritable },
    }),
    { seed: 1 },
  );
  expect(events).toMatchObject([{ kind: "diskFull", for: hours(1) }]);
  expect(counts.faults).toEqual({ diskFull: 1 });
});

test("a fault that ends does not end another of its kind", async () => {
  const seen = new Map<number, unknown>();
  await simulate(
    named({
      script: () =>
        [0, 1].flatMap((n) => [
          event(hours(1 + n), { kind: "diskFull", for: hours(3 - 2.5 * n) }),
          event(hours(1 + n), {
            kind: "clockStep",
            by: hours(1),
            for: hours(3 - 2.5 * n),
            noticed: 0,
          }),
          event(hours(3 + n / 10), { kind: "pause", for: 1 }),
        ]),
      always: {
        "it is looked at": ({ isWritable, clockError, now }) => {
          seen.set((now - start) / hours(1), [isWritable, clockError]);
          return true;
        },
      },
    }),
    { seed: 1 },
  );
  expect(seen.get(3)).toEqual([false, hours(2)]);
  expect(seen.get(4)).toEqual([true, 0]);
});

test("all that waits when the faults end happens then", async () => {
  const scenario = named({
    controllers: () => [
      defineController({
        name: "test.CopyController",
        inputs: { thing: one(Thing, "a") },
        outputs: { copy: exclusive(Copy) },
        reconcile: ({ inputs }) => ({ outputs: { copy: { a: { ...inputs.thing.spec } } } }),
      }),
    ],
    setup: async ({ create }) => {
      await create(Thing, "a", { value: 0 });
    },
    operations: {
      counts: {
        rate: 0,
        run: async ({ modify }) => {
          await modify(Thing, "a", (draft) => {
            draft.value++;
          });
        },
      },
    },
    healWithin: 1,
    eventually: {
      "it is counted": ({ spec }) => spec(Thing, "a")?.value === 1 && spec(Copy, "a")?.value === 1,
    },
  });
  const counts = event(hours(23), { kind: "operation", name: "counts" });
  for (const kind of ["watchLags", "pause"]) {
    const script = () => [event(hours(22), { kind, for: hours(9) }), counts];
    expect((await simulate({ ...scenario, script }, { seed: 1 })).failure).toBeNull();
  }
});

test("a commit is told before what it sets off, and a removal as one", async () => {
  const lines: string[] = [];
  const written: string[] = [];
  const { counts } = await simulate(
    named({
      setup: async ({ create }) => {
        await create(Thing, "a", { value: 0 });
      },
      operations: {
        removes: {
          rate: 0,
          run: async ({ store }) => store.destroy({ ...Thing, id: "a" }),
        },
      },
      script: () => [1, 2].map((n) => event(hours(n), { kind: "operation", name: "removes" })),
      always: {
        "it is looked at": ({ written: found }) => {
          written.push(...found.map(({ metadata }) => metadata.id));
          return true;
        },
      },
    }),
    { seed: 1, trace: (line) => lines.push(line) },
  );
  expect(written).toEqual(["a"]);
  expect(lines.join("\n")).toContain('"removes":["Things.test.dev(test/a)"]');
  expect(counts).toMatchObject({ operations: 2, refused: 1 });
});

test("what is no pointer cannot be destroyed", async () => {
  const { failure } = await simulate(
    named({ setup: async ({ store }) => store.destroy(Thing as never) }),
    { seed: 1 },
  );
  expect(failure?.problems[0]).toContain("TypeError: this is no pointer");
});

test("a fault counts once it has taken effect", async () => {
  const { counts } = await simulate(
    named({
      script: () => [
        event(hours(1), { kind: "crash", point: "idle", down: hours(3) }),
        event(hours(2), { kind: "crash", point: "idle", down: 1 }),
        event(hours(2), { kind: "watchLags", for: 1 }),
        event(hours(2), { kind: "writeFails", after: 99, commits: 1 }),
      ],
    }),
    { seed: 1 },
  );
  expect(counts.faults).toEqual({ crash: 1 });
});
