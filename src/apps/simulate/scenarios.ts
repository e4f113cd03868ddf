/** What we simulate of ourselves. */
import { at, days, minutes, type Instant } from "#runtime";
import { defineScenario, type FaultBounds, type Machine, type Scenario } from "#runtime/simulation";
import { manualClock, silentLogger } from "#runtime";
import { nodes } from "./node.ts";
import { certificateProperties } from "./properties/certificates.ts";
import { reportProperties, settledProperties } from "./properties/reports.ts";
import { storeProperties } from "./properties/store.ts";

const START: Instant = at("2027-03-01T12:00:00Z");
const YEAR = days(365);

/** What goes wrong with machines; rates are so many a day. */
const machineFaults: FaultBounds = {
  crash: 0.3,
  restart: 0.1,
  pause: 0.2,
  writeFails: 0.3,
  writeLate: 0.2,
  commitsLost: 0.02,
  diskFull: 0.02,
  watchEnds: 0.3,
  watchLags: 0.2,
};

/** What goes wrong with clocks. */
const clockFaults: FaultBounds = {
  clockSkew: { rate: 1, by: minutes(10) },
  clockDrift: 0.02,
  clockStep: 0.03,
  bootIn1970: 0.01,
};

const always = () => ({
  ...certificateProperties(),
  ...storeProperties(nodes.kinds, nodes.controllers(nobody)),
  ...reportProperties(),
});

/** Only to be asked which controllers there are. */
const nobody = {
  name: "nobody",
  clock: manualClock(START),
  log: silentLogger,
} as unknown as Machine;

type Choices = Pick<Parameters<typeof defineScenario>[0], "name" | "horizon" | "faults"> &
  Partial<Parameters<typeof defineScenario>[0]>;

const scenario = (choices: Choices): Scenario =>
  defineScenario({
    ...nodes,
    nodes: ["cp-1"],
    start: START,
    always,
    eventually: settledProperties,
    command: ({ scenario: name, seed, horizon, only }) =>
      `trustplane simulate --scenario ${name} --seed ${String(seed)} --days ${String(horizon / days(1))}` +
      (only ? ` --only ${only.join(",") || "none"}` : ""),
    ...choices,
  });

const list: readonly Scenario[] = [
  scenario({
    name: "control-plane",
    horizon: 10 * YEAR - days(2),
    faults: { ...machineFaults, ...clockFaults },
  }),
];

/** By name. */
export const scenarios: ReadonlyMap<string, Scenario> = new Map(list.map((one) => [one.name, one]));
