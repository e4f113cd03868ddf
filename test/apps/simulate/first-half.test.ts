import { expect, test } from "vitest";
import { runSeeds, scenarioNamed } from "./hundred-seeds.ts";

test("everything holds for a month in seeds 1 to 50, which have every kind of fault", async () => {
  const kinds = await runSeeds(1, 50);
  expect([...kinds].sort()).toEqual(Object.keys(scenarioNamed("control-plane").faults).sort());
}, 120_000);
