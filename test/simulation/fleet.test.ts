import { days } from "#runtime";
import { describeFailure, simulate } from "#runtime/simulation";
import { expect, test } from "vitest";
import { fleet } from "./fleet.ts";

test("finalizers, owners and whole commits hold while everything fails", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const result = await simulate(fleet, { seed });
    expect(result.failure && describeFailure(fleet, result, "test")).toBeNull();
  }
});

test("simulations that run beside each other, and beside other work, do what they do alone", async () => {
  const seeds = [1, 2, 3];
  const one = (seed: number) => simulate(fleet, { seed, horizon: days(3) });
  const alone: string[] = [];
  for (const seed of seeds) alone.push((await one(seed)).hash);
  const over = new AbortController();
  const load = (async () => {
    while (!over.signal.aborted) await new Promise((resolve) => setImmediate(resolve));
  })();
  const together = await Promise.all(seeds.toReversed().map(one));
  over.abort();
  await load;
  expect(together.map(({ hash }) => hash)).toEqual(alone.toReversed());
});

test("a seed does the same on every machine and with every Node.js", async () => {
  const { hash } = await simulate(fleet, { seed: 1, horizon: days(3) });
  expect(hash).toBe("8b60abd3282e5c04af0ee62a0f1371a554e88e380705820ba54a9845705925af");
});
