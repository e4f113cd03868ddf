/** Runs one random seed after the other, of one scenario or of all in turn, until the time is over. */
import { days, type Clock, type Instant, type Random } from "#runtime";
import { leastHorizon } from "./scenarios.ts";
import { faultsIn, simulate, type Scenario, type Simulation } from "#runtime/simulation";

/** What has been done so far. */
export interface SoakProgress {
  readonly seeds: number;
  /** Milliseconds of simulated time. */
  readonly simulated: number;
  readonly faults: number;
  readonly checks: number;
}

/** How it ended. */
export interface SoakResult extends SoakProgress {
  /** The first one that failed, and what it is of. */
  readonly failed: { readonly scenario: Scenario; readonly simulation: Simulation } | null;
}

/** A seed has so much of a long scenario at most: many short lives find more than a long one. */
const HORIZON_MAX = days(90);

/** Ends at the first failure, or after the seed that was begun before `until`; one is run in any case. */
export async function soak(options: {
  readonly scenarios: readonly Scenario[];
  readonly horizon?: number;
  readonly clock: Clock;
  readonly until: Instant;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SoakProgress) => void;
}): Promise<SoakResult> {
  const { scenarios, clock, until, random, signal, onProgress } = options;
  let done: SoakProgress = { seeds: 0, simulated: 0, faults: 0, checks: 0 };
  while ((clock.now() < until || done.seeds === 0) && !signal.aborted) {
    const scenario = scenarios[done.seeds % scenarios.length];
    if (scenario === undefined) throw new TypeError("there is no scenario to run");
    const chosen = options.horizon ?? Math.min(scenario.horizon, HORIZON_MAX);
    const horizon = Math.max(chosen, leastHorizon(scenario.name));
    const seed = Buffer.from(random.bytes(4)).readUInt32BE();
    const simulation = await unlessAborted(simulate(scenario, { seed, horizon, signal }), signal);
    if (simulation === undefined) break;
    done = sum(done, simulation);
    onProgress(done);
    if (simulation.failure !== null) return { ...done, failed: { scenario, simulation } };
  }
  return { ...done, failed: null };
}

/** Undefined when the signal came first. */
const unlessAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> =>
  work.catch((error: unknown) => {
    if (signal.aborted && error === signal.reason) return undefined;
    throw error;
  });

const sum = (done: SoakProgress, { simulated, counts }: Simulation): SoakProgress => ({
  seeds: done.seeds + 1,
  simulated: done.simulated + simulated,
  faults: done.faults + faultsIn(counts),
  checks: done.checks + counts.checks,
});
