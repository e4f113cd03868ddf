/** Longer lives than `npm test` has room for: a year of a control plane, the herd, ten nodes. */
import { days } from "#runtime";
import { describeFailure, faultsIn, simulate } from "#runtime/simulation";
import { scenarios } from "../../src/apps/simulate/index.ts";
import type { LongCase } from "./case.ts";

const lives = [
  { name: "control-plane", seed: 1, length: 365 },
  { name: "herd", seed: 1, length: 11 },
  { name: "ten-nodes", seed: 1, length: 30 },
  { name: "few-join", seed: 4, length: 2 },
];

export const simulation: LongCase = {
  name: "simulation",
  async run({ ci }) {
    let [faults, checks] = [0, 0];
    for (const { name, seed, length } of lives) {
      const scenario = scenarios.get(name);
      if (scenario === undefined) throw new TypeError(`there is no scenario ${name}`);
      const result = await simulate(scenario, { seed, horizon: days(ci ? length : length * 2) });
      if (result.failure !== null) throw new Error(describeFailure(scenario, result, "this one"));
      faults += faultsIn(result.counts);
      checks += result.counts.checks;
    }
    return `${lives.map(({ name }) => name).join(", ")}: ${String(faults)} faults, ${String(checks)} properties looked at`;
  },
};
