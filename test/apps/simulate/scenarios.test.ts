/** Scenarios beside the control plane, in a few fixed seeds each; more of them run in `npm run test:long`. */
import { at, days } from "#runtime";
import { simulate } from "#runtime/simulation";
import { expect, test } from "vitest";
import { expectToHold, scenarioNamed } from "./hundred-seeds.ts";

test.each([
  ["skew", 1, 15],
  ["clock-steps", 1, 30],
  ["clock-steps", 5, 30],
  ["config-changes", 2, 10],
  ["config-changes", 8, 10],
  ["full-disk", 3, 20],
  ["root-end", 1, 30],
  ["node-off", 1, 14],
  ["node-off", 5, 14],
  ["ten-nodes", 2, 5],
])("%s holds in seed %i for %i days", async (name, seed, length) => {
  const { counts } = await expectToHold(name, seed, days(length));
  expect(counts.checks).toBeGreaterThan(1000);
});

test("roots that end are replaced by somebody who follows securitystatus", async () => {
  const control = scenarioNamed("control-plane");
  const shortly = { ...scenarioNamed("root-end"), operations: control.operations };
  const weekly = [7, 14, 21, 28].map((day) => ({
    at: at(`2027-03-${String(1 + day).padStart(2, "0")}T12:00:00Z`),
    node: "cp-1",
    kind: "operation" as const,
    name: "looks after the roots",
  }));
  const scenario = { ...shortly, faults: {}, script: () => weekly };
  const { failure, counts } = await simulate(scenario, { seed: 1, horizon: days(30) });
  expect(failure).toBeNull();
  expect(counts.notes["authority signed"]).toBeGreaterThan(4);
});
