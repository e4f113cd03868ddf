/** Finds a short list of events after which the same property still breaks (delta debugging). */
import { after, days } from "../instant.ts";
import type { Scenario } from "./scenario.ts";
import { simulate, type SimulateOptions, type Simulation } from "./simulate.ts";

/** How far to go. */
export interface ShrinkOptions extends Pick<SimulateOptions, "signal"> {
  /** So many simulations at most. Default 200. */
  readonly runsMax?: number;
  /** Called after each simulation with the number of events that are left. */
  readonly onProgress?: (left: number, runs: number) => void;
}

/** A property that always holds breaks at about the same time with fewer events, or not at all. */
const LONGER = days(2);

/**
 * Shrinks a simulation that failed.
 *
 * @returns one with the same seed and as few events as were found to break the same property
 * @throws {TypeError} when it did not fail
 */
export async function shrink(
  scenario: Scenario,
  failed: Simulation,
  { runsMax = 200, signal, onProgress }: ShrinkOptions = {},
): Promise<Simulation> {
  const { failure, seed, horizon } = failed;
  if (failure === null) throw new TypeError("what did not fail cannot be shrunk");
  const until = failure.when === "eventually" ? {} : { until: after(failure.at, LONGER) };
  let runs = 0;
  const attempt = async (only: readonly number[]): Promise<Simulation | undefined> => {
    if (runs >= runsMax) return undefined;
    runs++;
    const tried = await simulate(scenario, {
      seed,
      horizon,
      only,
      ...until,
      ...(signal && { signal }),
    });
    onProgress?.(only.length, runs);
    return tried.failure?.property === failure.property ? tried : undefined;
  };
  const before = failed.events.filter(({ at }) => at <= failure.at).map(({ place }) => place);
  let best = (await attempt([])) ?? (await attempt(before)) ?? failed;
  for (let parts = 2, left = placesOf(best); left.length > 1; left = placesOf(best)) {
    const found = await firstOf(without(left, Math.min(parts, left.length)), attempt);
    if (found !== undefined) {
      best = found;
      parts = Math.max(2, parts - 1);
    } else if (parts >= left.length || runs >= runsMax) break;
    else parts = Math.min(left.length, parts * 2);
  }
  return simulate(scenario, { seed, horizon, only: placesOf(best), ...(signal && { signal }) });
}

const placesOf = ({ events }: Simulation): readonly number[] => events.map(({ place }) => place);

/** The list without each of so many parts in turn, and of two parts each alone. */
function* without(places: readonly number[], parts: number): Generator<readonly number[]> {
  const size = Math.ceil(places.length / parts);
  for (let start = 0; start < places.length; start += size)
    yield [...places.slice(0, start), ...places.slice(start + size)];
}

async function firstOf<T, R>(
  candidates: Iterable<T>,
  attempt: (candidate: T) => Promise<R | undefined>,
): Promise<R | undefined> {
  for (const candidate of candidates) {
    const result = await attempt(candidate);
    if (result !== undefined) return result;
  }
  return undefined;
}
