/** How long a node that is asked with others may keep them waiting. */
import { minutes, ringAfter, type Clock } from "#runtime";
import { NodeLateError } from "./errors.ts";

/** Far more than any method takes that answers once. */
export const ANSWER_MAX = minutes(1);

/**
 * Gives a node up that has not answered in time.
 *
 * @param ask ends with its signal
 * @throws {NodeLateError}
 */
export async function inTime<T>(
  node: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const cancel = ringAfter(clock, ANSWER_MAX, () => late.abort());
  try {
    return await ask(AbortSignal.any([signal, late.signal]));
  } catch (error) {
    throw late.signal.aborted && !signal.aborted ? new NodeLateError(node, ANSWER_MAX) : error;
  } finally {
    cancel();
  }
}
