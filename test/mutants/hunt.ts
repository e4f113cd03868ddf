/** Runs in a process of its own: tries one seed after the other until a property breaks, and prints that. */
import { days } from "#runtime";
import { NeverAtRestError, simulate } from "#runtime/simulation";
import { scenarios } from "../../src/apps/simulate/scenarios.ts";
import { fleet } from "../simulation/fleet.ts";

const [name = "", length = "30", most = "10"] = process.argv.slice(2);
const scenario = name === fleet.name ? fleet : scenarios.get(name);
if (scenario === undefined) throw new TypeError(`there is no scenario ${name}`);
/** Milliseconds of real time: a bug may let a process wait for ever. */
const patience = 15_000;
const neverAtRest = (error: unknown) => {
  if (!(error instanceof NeverAtRestError)) throw error;
  return { failure: { property: "every process comes to rest", problems: [error.message] } };
};
const began = performance.now();
let result: object = { seed: null };
for (let seed = 1; seed <= Number(most); seed++) {
  const horizon = days(Number(length));
  const { failure } = await simulate(scenario, { seed, horizon, patience }).catch(neverAtRest);
  if (failure === null) continue;
  result = { seed, property: failure.property, problem: failure.problems[0]?.slice(0, 300) ?? "" };
  break;
}
process.stdout.write(JSON.stringify({ ...result, seconds: (performance.now() - began) / 1000 }));
