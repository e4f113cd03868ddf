/** What we simulate of ourselves. */
import { after, at, days, hours, type Instant, manualClock, minutes, silentLogger } from "#runtime";
import {
  defineScenario,
  type FaultBounds,
  type Machine,
  type Operation,
  type Scenario,
  type SimulationEvent,
} from "#runtime/simulation";
import { herd, herdProperties } from "./herd.ts";
import { daysOf } from "./horizon.ts";
import { joiningOf } from "./joining/scenario.ts";
import { nodesOf } from "./node.ts";
import {
  looksAfterRoots,
  meddles,
  renames,
  replacesAllRoots,
  replacesSomeRoot,
} from "./operator.ts";
import { certificateProperties } from "./properties/certificates.ts";
import { configurationProperties } from "./properties/configuration.ts";
import { findingProperties } from "./properties/findings.ts";
import { ownershipProperties } from "./properties/ownership.ts";
import { peerProperties } from "./properties/peers.ts";
import { reportProperties, settledProperties } from "./properties/reports.ts";
import { stayingProperties } from "./properties/staying.ts";
import { storeProperties } from "./properties/store.ts";
import { togetherProperties } from "./properties/together.ts";

const START: Instant = at("2027-03-01T12:00:00Z");

/** What goes wrong with machines; rates are so many a day. */
const machineFaults: FaultBounds = {
  crash: 0.3,
  restart: 0.1,
  pause: 0.2,
  writeFails: 0.3,
  writeLate: 0.2,
  commitsLost: 0.02,
  diskFull: { rate: 0.02, for: hours(8) },
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

/**
 * Nothing that was stored is lost there: a token that was spent, and a revocation, stay what they are
 * only on disks that keep what they say they keep.
 */
const joiningFaults: FaultBounds = {
  ...machineFaults,
  commitsLost: 0,
  clockSkew: { rate: 1, by: minutes(10) },
  clockDrift: 0.02,
  bootIn1970: { rate: 0.05, for: hours(2) },
};

const nodes = nodesOf(START);

/** Only to be asked which controllers there are. */
const nobody = { name: "nobody", clock: manualClock(START), log: silentLogger };
const controllers = nodes.controllers(nobody as unknown as Machine);

const always = () => ({
  ...certificateProperties(),
  ...configurationProperties(),
  ...storeProperties(nodes.kinds),
  ...ownershipProperties(controllers),
  ...togetherProperties(),
  ...stayingProperties(),
  ...reportProperties(),
  ...findingProperties(),
});

type Defined = Parameters<typeof defineScenario>[0];
type Choices = Pick<Defined, "name" | "horizon"> & Partial<Defined>;

const scenario = (choices: Choices): Scenario =>
  defineScenario({
    ...nodes,
    nodes: ["cp-1"],
    start: START,
    always,
    eventually: settledProperties,
    command: ({ scenario: name, seed, horizon, only }) =>
      `./bin/trustplane simulate --scenario ${name} --seed ${String(seed)} ` +
      `--days ${daysOf(horizon)}${only ? ` --only ${only.join(",") || "none"}` : ""}`,
    ...choices,
  });

const every = (duration: number, until: number, event: { node: string; name: string }) =>
  Array.from({ length: Math.floor(until / duration) }, (_, n): SimulationEvent => ({
    at: after(START, (n + 1) * duration),
    kind: "operation",
    ...event,
  }));

const never = (run: Operation["run"]): Operation => ({ rate: 0, run });

const LONGEST = days(365 * 50);
/** The roots of this cluster are older than others. */
const AGED = at("2017-03-24T12:00:00Z");

/** Every one, with its usual horizon. */
const list: readonly Scenario[] = [
  scenario({
    name: "control-plane",
    horizon: days(3650),
    faults: { ...machineFaults, ...clockFaults },
    operations: { "looks after the roots": never(looksAfterRoots) },
    script: () => every(days(7), LONGEST, { node: "cp-1", name: "looks after the roots" }),
  }),
  scenario({
    name: "skew",
    nodes: ["cp-1", "cp-2", "cp-3"],
    horizon: days(60),
    faults: { clockSkew: { rate: 1, by: minutes(10) }, clockDrift: 0.1, crash: 0.2 },
    always: () => ({ ...always(), ...peerProperties() }),
  }),
  scenario({
    name: "clock-steps",
    horizon: days(120),
    faults: {
      ...machineFaults,
      clockStep: { rate: 0.2, by: days(365), for: days(2) },
      bootIn1970: { rate: 0.05, for: hours(2) },
    },
  }),
  scenario({
    name: "config-changes",
    horizon: days(60),
    faults: { ...machineFaults, clockSkew: { rate: 1, by: minutes(10) }, crash: 3, writeFails: 2 },
    operations: {
      "renames the node": { rate: 3, run: renames },
      "replaces a root": { rate: 0.5, run: replacesSomeRoot },
      "writes what is not theirs": { rate: 0.5, run: meddles },
    },
  }),
  scenario({
    name: "full-disk",
    horizon: days(60),
    faults: { diskFull: { rate: 0.2, for: days(2) }, writeFails: 2, crash: 0.3 },
  }),
  scenario({
    ...nodesOf(AGED),
    name: "root-end",
    horizon: days(30),
    faults: machineFaults,
    operations: { "replaces all roots": never(replacesAllRoots) },
    script: () =>
      [24, 26, 28].map((day) => ({
        at: after(START, days(day)),
        node: "cp-1",
        kind: "operation",
        name: "replaces all roots",
      })),
  }),
  scenario({
    ...herd,
    name: "herd",
    boot: () => undefined,
    horizon: days(11),
    always: () => herdProperties(START),
    eventually: {},
  }),
  scenario({
    name: "node-off",
    horizon: days(14),
    faults: { watchEnds: 0.3, writeFails: 0.3 },
    script: (stream) => [
      {
        at: after(START, days(4) + stream.below(days(2))),
        node: "cp-1",
        kind: "crash",
        point: "idle",
        down: days(3),
      },
    ],
  }),
  scenario({
    name: "ten-nodes",
    nodes: Array.from({ length: 10 }, (_, n) => `cp-${String(n + 1)}`),
    horizon: days(365),
    faults: { ...machineFaults, clockSkew: { rate: 1, by: minutes(10) } },
    always: () => ({ ...always(), ...peerProperties() }),
  }),
  scenario({
    name: "joining",
    ...joiningOf({ workers: 20, start: START, horizon: days(4), faults: joiningFaults }),
  }),
  scenario({
    name: "few-join",
    ...joiningOf({ workers: 3, start: START, horizon: days(10), faults: joiningFaults }),
  }),
];

/** By name. */
export const scenarios: ReadonlyMap<string, Scenario> = new Map(list.map((one) => [one.name, one]));

/** Until then nothing has happened in these that they are about. */
const least: Readonly<Record<string, number>> = {
  herd: days(10),
  "root-end": days(29),
  "node-off": days(9),
};

/** Milliseconds that a simulation of the scenario has to last at least to prove something. */
export const leastHorizon = (name: string): number => least[name] ?? 1;
