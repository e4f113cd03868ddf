/** What really takes time is waited for, and how long it takes changes nothing. */
import { pbkdf2, pbkdf2Sync } from "node:crypto";
import { promisify } from "node:util";
import {
  at,
  days,
  defineController,
  defineResource,
  exclusive,
  minutes,
  one,
  after,
} from "#runtime";
import { defineScenario, simulate } from "#runtime/simulation";
import { expect, test } from "vitest";
import { z } from "zod";

const Input = defineResource({
  type: "Numbers.test.dev",
  namespace: "test",
  spec: z.object({ value: z.number() }),
});
const Hashed = defineResource({
  type: "Hashed.test.dev",
  namespace: "test",
  spec: z.object({ value: z.number() }),
});
const hash = promisify(pbkdf2);
const start = at("2030-01-01");
const nothing = new Uint8Array(1);

/** The left node hashes whenever its number changes, while its operator calls the right one. */
const scenario = (rounds: number, answer: (write: () => Promise<unknown>) => Promise<unknown>) =>
  defineScenario({
    name: "real work",
    start,
    horizon: minutes(30),
    nodes: ["left", "right"],
    kinds: [Input, Hashed],
    controllers: ({ name, note }) =>
      name === "right"
        ? []
        : [
            defineController({
              name: "test.HashController",
              inputs: { number: one(Input, "in") },
              outputs: { out: exclusive(Hashed) },
              async reconcile({ inputs }) {
                const { value } = inputs.number.spec;
                await hash("secret", String(value), rounds, 32, "sha256");
                note("hashed", String(value));
                return { outputs: { out: { out: { value } } } };
              },
            }),
          ],
    async setup({ create }) {
      await create(Input, "in", { value: 0 });
    },
    boot({ name, network, modify }) {
      const write = () =>
        modify(Input, "in", (draft) => {
          draft.value++;
        });
      if (name === "right")
        network.serve("work", async () => {
          await answer(write);
          return nothing;
        });
    },
    operations: {
      "writes and calls": {
        rate: 0,
        async run({ modify, network, note }) {
          await modify(Input, "in", (draft) => {
            draft.value++;
          });
          await network.call("right", "work", nothing);
          note("called", "answered");
        },
      },
    },
    script: () =>
      Array.from({ length: 10 }, (_, n) => ({
        at: after(start, minutes(1 + n)),
        node: "left",
        kind: "operation" as const,
        name: "writes and calls",
      })),
  });

test("hashes in the thread pool come out the same beside load on it, also while a call waits", async () => {
  const traced = async () => {
    const lines: string[] = [];
    const { hash: digest, failure } = await simulate(
      scenario(3000, () => hash("a", "b", 3000, 32, "sha256")),
      { seed: 1, trace: (line) => lines.push(line) },
    );
    expect(failure).toBeNull();
    return [digest, ...lines];
  };
  const alone = await traced();
  let isOver = false;
  const load = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (!isOver) await hash("x", "y", 20_000, 32, "sha256");
    }),
  );
  const beside = await traced();
  isOver = true;
  await load;
  expect(beside).toEqual(alone);
});

test("who answers a call may commit many times and hash before it answers", async () => {
  const { failure, counts } = await simulate(
    scenario(1, async (write) => {
      for (let n = 0; n < 10; n++) await write();
      await hash("a", "b", 1000, 32, "sha256");
    }),
    { seed: 1 },
  );
  expect(failure).toBeNull();
  expect(counts.notes.called).toBe(10);
  expect(counts.refused).toBe(0);
});

test("who has called may hash at once, and wait by the clock before the next try", async () => {
  const { failure, counts } = await simulate(
    {
      ...scenario(1, async () => undefined),
      controllers: () => [],
      operations: {
        "writes and calls": {
          rate: 0,
          async run({ clock, network, note }) {
            pbkdf2Sync("a", "b", 1, 8, "sha256");
            const called = network.call("right", "work", nothing);
            pbkdf2Sync("a", "b", 1, 8, "sha256");
            await called;
            await new Promise<void>((resolve) => {
              clock.alarm(after(clock.now(), minutes(10)), resolve);
            });
            note("tried", "again");
          },
        },
      },
    },
    { seed: 1 },
  );
  expect(failure).toBeNull();
  expect(counts.notes.tried).toBe(3); // one after the other
});

test("what never comes ends the simulation with an error, and is no failure of the scenario", async () => {
  const stuck = defineScenario({
    name: "stuck",
    start,
    horizon: days(1),
    controllers: () => [],
    setup: () => new Promise<void>(() => undefined),
  });
  await expect(simulate(stuck, { seed: 5, patience: 50 })).rejects.toThrow(
    /^seed 5, 2030-01-01T00:00:00.000Z: node did not come to rest within 0.05 s/,
  );
});
