/** Runs again what a trace tells of, and says where it comes out differently. */
import { CodedError } from "../errors.ts";
import type { Scenario } from "./scenario.ts";
import { simulate, type Simulation } from "./simulate.ts";

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
  if (what !== "scenario" || typeof name !== "string" || !Number.isSafeInteger(seed))
    throw new TraceUnreadableError(
      "this is no trace of a simulation: its first line names no scenario",
    );
  return {
    scenario: name,
    seed: seed as number,
    horizon: Number(horizon),
    ...(Array.isArray(only) && { only: only as number[] }),
  };
}

/**
 * Simulates what the trace is of.
 *
 * @param trace its lines, from the first on
 * @throws {TraceUnreadableError}
 */
export async function replay(scenario: Scenario, trace: Iterable<string>): Promise<Replay> {
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
  const options = { seed, horizon, ...(only && { only }), trace: compare };
  const simulation = await simulate(scenario, options);
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
