/** Fixed seeds of a control plane, a month each; two files share them, so that two cores do. */
import { days } from "#runtime";
import { describeFailure, simulate } from "#runtime/simulation";
import { expect } from "vitest";
import { scenarios } from "../../../src/apps/simulate/index.ts";
import type { Scenario } from "#runtime/simulation";

/** A scenario of ours. */
export function scenarioNamed(name: string): Scenario {
  const scenario = scenarios.get(name);
  if (scenario === undefined) throw new TypeError(`there is no scenario ${name}`);
  return scenario;
}

/** Simulates, and shows what is broken. */
export async function expectToHold(name: string, seed: number, duration: number) {
  const scenario = scenarioNamed(name);
  const simulation = await simulate(scenario, { seed, horizon: duration });
  expect(simulation.failure && describeFailure(scenario, simulation, "test")).toBeNull();
  return simulation;
}

/** Runs seeds of `control-plane`. @returns the kinds of faults that there were */
export async function runSeeds(from: number, to: number): Promise<ReadonlySet<string>> {
  const kinds = new Set<string>();
  for (let seed = from; seed <= to; seed++) {
    const { counts } = await expectToHold("control-plane", seed, days(30));
    for (const kind of Object.keys(counts.faults)) kinds.add(kind);
  }
  return kinds;
}
