/** Runs again what a trace tells of, and says where it comes out differently. */
import { CodedError } from "../errors.ts";
import { days } from "../instant.ts";
import type { Scenario } from "./scenario.ts";
import { simulate, type SimulateOptions, type Simulation } from "./simulate.ts";

/** The text is no trace, or of another scenario. */
export class TraceUnreadableError extends CodedError {
  readonly code = "ERR_TRACE_UNREADABLE";
}

/** What a trace begins with. */
export interface TraceHeader {
  readonly scenario: string;
  readonly seed: number;
  /** Milliseconds. */
  readonly horizon: number;
  readonly only?: readonly number[];
}

/** What came of running it again. */
export interface Replay {
  readonly simulation: Simulation;
  /** The first line that is not the same; null when all are. */
  readonly difference: Difference | null;
}

/** A line of two traces that should be the same. */
export interface Difference {
  /** From 1 on. */
  readonly line: number;
  /** Null where a trace is over. */
  readonly before: string | null;
  readonly now: string | null;
}

/**
 * Reads the first line of a trace.
 *
 * @throws {TraceUnreadableError}
 */
export function traceHeader(line: string | undefined): TraceHeader {
  const { what, name, seed, horizon, only } = parsed(line);
  if (what !== "scenario" || typeof name !== "string")
    throw new TraceUnreadableError(
      "this is no trace of a simulation: its first line names no scenario",
    );
  const refuse = (field: string) =>
    new TraceUnreadableError(`line 1 of the trace is damaged: its ${field} cannot be used`);
  if (!Number.isSafeInteger(seed)) throw refuse("seed");
  if (!isHorizon(horizon)) throw refuse("horizon");
  if (only !== undefined && !isPlaces(only)) throw refuse("list of events");
  return { scenario: name, seed: seed as number, horizon, ...(only && { only }) };
}

/**
 * Simulates what the trace is of.
 *
 * @param trace its lines, from the first on
 * @throws {TraceUnreadableError} and the reason of the signal
 */
export async function replay(
  scenario: Scenario,
  trace: Iterable<string>,
  { signal }: Pick<SimulateOptions, "signal"> = {},
): Promise<Replay> {
  signal?.throwIfAborted();
  const lines = trace[Symbol.iterator]();
  const first = lines.next();
  const header = traceHeader(first.done ? undefined : first.value);
  if (header.scenario !== scenario.name)
    throw new TraceUnreadableError(
      `this is a trace of ${header.scenario}, not of ${scenario.name}`,
    );
  let [line, difference] = [0, null as Difference | null];
  const compare = (now: string | null) => {
    line++;
    if (difference !== null) return;
    const next = line === 1 ? first : lines.next();
    const before = next.done ? null : next.value;
    if (before !== now) difference = { line, before, now };
  };
  const { seed, horizon, only } = header;
  const options = { seed, horizon, ...(only && { only }), ...(signal && { signal }) };
  const simulation = await simulate(scenario, { ...options, trace: compare });
  compare(null);
  return { simulation, difference };
}

function parsed(line: string | undefined): Record<string, unknown> {
  try {
    return { ...(JSON.parse(line ?? "") as object) };
  } catch {
    return {};
  }
}

const HORIZON_MAX = days(36_525);

const isHorizon = (value: unknown): value is number =>
  typeof value === "number" && value >= 1 && value <= HORIZON_MAX;

const isPlaces = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((place) => Number.isSafeInteger(place) && Number(place) >= 0);
