/** Nodes that join, in a small cluster and one fixed seed; more of them run in `npm run test:long`. */
import { days } from "#runtime";
import { expect, test } from "vitest";
import { expectToHold } from "./hundred-seeds.ts";

test("nodes join by tokens while the control plane dies and a stranger tries, twice in the same way", async () => {
  const first = await expectToHold("few-join", SEED, days(0.1));
  const { hash, counts } = await expectToHold("few-join", SEED, days(0.1));
  expect(hash).toBe(first.hash);
  expect(counts.notes.joining).toBeGreaterThan(200);
});

const SEED = 2;
