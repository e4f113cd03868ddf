/** Finds a short list of events after which the same property still breaks (delta debugging). */
import { systemClock, type Clock } from "../clock.ts";
import { after, days, seconds, type Instant } from "../instant.ts";
import type { Scenario } from "./scenario.ts";
import { simulate, type Failure, type SimulateOptions, type Simulation } from "./simulate.ts";

/** How far to go. */
export interface ShrinkOptions extends Pick<SimulateOptions, "signal"> {
  /** So many simulations at most. Default 200. */
  readonly runsMax?: number;
  /** So many milliseconds at most. Default a minute. */
  readonly timeMax?: number;
  /** Measures `timeMax`. Default that of this machine. */
  readonly clock?: Clock;
  /** Called after each simulation with the number of events that are left. */
  readonly onProgress?: (left: number, runs: number) => void;
}

/** A property that always holds breaks at about the same time with fewer events, or not at all. */
const LONGER = days(2);

/**
 * Shrinks a simulation that failed. Once the time is over, or the signal aborts, what has been found so
 * far is good enough.
 *
 * @returns one with the same seed and as few events as were found to break the same property
 * @throws {TypeError} when it did not fail
 */
export async function shrink(
  scenario: Scenario,
  failed: Simulation,
  options: ShrinkOptions = {},
): Promise<Simulation> {
  const { failure } = failed;
  if (failure === null) throw new TypeError("what did not fail cannot be shrunk");
  const search = new Search(scenario, { failed, failure }, options);
  const before = failed.events.filter(({ at }) => at <= failure.at).map(({ place }) => place);
  let best = (await search.attempt([])) ?? (await search.attempt(before)) ?? failed;
  for (let parts = 2, left = placesOf(best); left.length > 1; left = placesOf(best)) {
    const candidates = without(left, Math.min(parts, left.length));
    const found = await firstOf(candidates, (only) => search.attempt(only));
    if (found !== undefined) {
      best = found;
      parts = Math.max(2, parts - 1);
    } else if (parts >= left.length || search.isOver) break;
    else parts = Math.min(left.length, parts * 2);
  }
  return best;
}

interface Found {
  readonly failed: Simulation;
  readonly failure: Failure;
}

/** Tries lists of events, as long as there is time. */
class Search {
  readonly #scenario: Scenario;
  readonly #found: Found;
  readonly #options: ShrinkOptions;
  readonly #clock: Clock;
  readonly #end: Instant;
  #runs = 0;

  constructor(scenario: Scenario, found: Found, options: ShrinkOptions) {
    const { clock = systemClock, timeMax = seconds(60) } = options;
    this.#scenario = scenario;
    this.#found = found;
    this.#options = options;
    this.#clock = clock;
    this.#end = after(clock.now(), timeMax);
  }

  get isOver(): boolean {
    const { runsMax = 200, signal } = this.#options;
    return this.#runs >= runsMax || signal?.aborted === true || this.#clock.now() >= this.#end;
  }

  /** @returns the simulation, when it fails in the same way; undefined also when the time is over */
  async attempt(only: readonly number[]): Promise<Simulation | undefined> {
    if (this.isOver) return undefined;
    this.#runs++;
    const { failed, failure } = this.#found;
    const { seed, horizon } = failed;
    const late = new AbortController();
    const stop = () => {
      late.abort();
    };
    const cancel = this.#clock.alarm(this.#end, stop);
    this.#options.signal?.addEventListener("abort", stop);
    const until = failure.when === "eventually" ? {} : { until: after(failure.at, LONGER) };
    const options = { seed, horizon, only, ...until, signal: late.signal };
    const tried = await simulate(this.#scenario, options)
      .catch((error: unknown) => {
        if (late.signal.aborted && error === late.signal.reason) return undefined;
        throw error;
      })
      .finally(() => {
        cancel();
        this.#options.signal?.removeEventListener("abort", stop);
      });
    this.#options.onProgress?.(only.length, this.#runs);
    return tried?.failure && isSame(tried.failure, failure) ? tried : undefined;
  }
}

/** Everything that is thrown breaks the same sentence: what it says has to be the same, too. */
function isSame(one: Failure, other: Failure): boolean {
  const first = ({ problems }: Failure) => problems[0]?.split("\n")[0];
  return (
    one.property === other.property &&
    one.when === other.when &&
    (one.when !== "thrown" || first(one) === first(other))
  );
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
