/** What is told of a failure, and how often a race is run again. */
import { CodedError } from "../errors.ts";
import { isRace } from "./committer.ts";
import type { Failure } from "./lane.ts";

/** The code of an error that has none: a mistake in the program. */
const INTERNAL = "ERR_INTERNAL";

/** The code and the message, nothing else of it. */
export function failureOf(error: unknown): Failure {
  return { code: error instanceof CodedError ? error.code : INTERNAL, message: textOf(error) };
}

/** Anything can be thrown, also what has no text. */
function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "what was thrown has no text";
  }
}

/** A race is lost to somebody who won it; whoever loses this many in a row has another problem. */
const RACES_MAX = 20;

/**
 * Runs `attempt` again, at once, while what it writes is out of date.
 *
 * @throws what it throws otherwise, or when it lost too many races
 */
export async function untilCurrent<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let lost = 0; ; lost++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isRace(error) || lost === RACES_MAX || signal.aborted) throw error;
    }
  }
}
