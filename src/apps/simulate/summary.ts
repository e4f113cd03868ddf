/** What came of a simulation, for people; the same for the same seed. */
import { days } from "#runtime";
import { faultsIn, type Scenario, type Simulation } from "#runtime/simulation";

/** Lines without the last line end. */
export function summary(scenario: Scenario, simulation: Simulation): string {
  const { seed, horizon, counts, failure } = simulation;
  const { faults, notes, peaks } = counts;
  const nodes = scenario.nodes.length;
  const listed = Object.entries(faults).map(([kind, count]) => `${kind} ${number(count)}`);
  const rows: readonly (readonly [string, string])[] = [
    [
      "scenario",
      `${scenario.name}, seed ${String(seed)}, ${lengthOf(horizon)}, ${plural(nodes, "node")}`,
    ],
    [
      "issued",
      `${plural(notes["leaf signed"], "leaf", "leaves")} and ${plural(notes["authority signed"], "authority", "authorities")}; ` +
        `most in one hour: ${number(peaks["leaf signed"])}`,
    ],
    [
      "crashes",
      `${number(faults.crash)}, restarts ${number(faults.restart)}, ` +
        `${plural(counts.ends, "process", "processes")} ended in all`,
    ],
    ["faults", `${number(faultsIn(counts))}${listed.length > 0 ? `: ${listed.join(", ")}` : ""}`],
    ["work", `${plural(counts.reconciles, "reconcile")}, ${plural(counts.writes, "commit")}`],
    [
      "checks",
      `${plural(counts.checks, "property", "properties")} looked at, ${failure === null ? "all held" : "one broken"}`,
    ],
  ];
  return rows.map(([name, text]) => `${name.padEnd(10)}${text}`).join("\n");
}

/** As `1,234`, on any machine. */
const number = (count = 0): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

const plural = (count = 0, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`;

/** Whole years of 365 days, else days. */
export function lengthOf(duration: number): string {
  const years = duration / days(365);
  return Number.isInteger(years)
    ? plural(years, "year")
    : plural(Math.round((duration / days(1)) * 100) / 100, "day");
}
