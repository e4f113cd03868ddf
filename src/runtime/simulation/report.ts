/** A failure as it is told: what broke, after which events, and how to see it again. */
import { explain } from "./explain.ts";
import type { Scenario } from "./scenario.ts";
import type { Simulation } from "./simulate.ts";

/** More than so many nobody reads: a list that is longer is told from its end. */
const EVENTS_MAX = 40;

/**
 * Tells of a failure; the last line is the command that repeats it.
 *
 * @param version of the code that was simulated, a commit where there is one
 * @throws {TypeError} when it did not fail
 */
export function describeFailure(
  scenario: Scenario,
  { failure, seed, horizon, only, events }: Simulation,
  version: string,
): string {
  if (failure === null) throw new TypeError("this simulation did not fail");
  const command = scenario.command({
    scenario: scenario.name,
    seed,
    horizon,
    ...(only && { only }),
  });
  const header = JSON.stringify({ what: "scenario", name: scenario.name, seed, horizon });
  const before = events.filter(({ at }) => at <= failure.at);
  const told = before.slice(-EVENTS_MAX);
  const length = [
    String(before.length),
    ...(only ? [] : ["not shrunk"]),
    ...(told.length < before.length ? [`the last ${String(told.length)} of them are`] : []),
  ].join(", ");
  const lines = told.map((event) => JSON.stringify({ what: "event", ...event }));
  const [, ...timeline] = [...explain([header, ...lines])];
  return [
    `BROKEN: ${failure.property}`,
    ...failure.problems.map((problem) => `  ${problem}`),
    `  ${when[failure.when]}, at ${new Date(failure.at).toISOString()}`,
    `scenario ${scenario.name}, seed ${seed}, version ${version}`,
    `events (${length}):`,
    ...timeline.map((line) => `  ${line}`),
    `repeat it: ${command}`,
  ].join("\n");
}

const when = {
  always: "it has to hold all the time",
  eventually: "it has to hold once the faults are over",
  thrown: "an error came out where none may",
} as const;
