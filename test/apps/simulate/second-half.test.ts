import { expect, test } from "vitest";
import { runSeeds, scenarioNamed } from "./hundred-seeds.ts";

test("everything holds for a month in seeds 51 to 100, which have every kind of fault", async () => {
  const kinds = await runSeeds(51, 100);
  expect([...kinds].sort()).toEqual(Object.keys(scenarioNamed("control-plane").faults).sort());
}, 120_000);
