/** Asks one after the other, and all of them again, for a minute (talos-pki.md §7, client, step 4). */
import { type Clock, fraction, minutes, type Random, ringAfter, seconds } from "#runtime";

const ALL_TOGETHER = minutes(1);
const PAUSE = seconds(1);
const JITTER = 0.1 * PAUSE;

/** One who was asked, and why it did not help. */
export interface Refusal {
  readonly host: string;
  readonly error: unknown;
}

export interface RoundsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Told of each attempt that failed. */
  readonly onFailure: (refusal: Refusal) => void;
  /** Whether it is of no use to ask again. */
  readonly isFinal: (error: unknown) => boolean;
}

/** Nobody has answered; those of the last round. */
export class RoundsOverError extends Error {
  readonly refusals: readonly Refusal[];
  constructor(refusals: readonly Refusal[]) {
    super("all rounds are over");
    this.refusals = refusals;
  }
}

/**
 * Asks hosts in an order of chance until one answers.
 *
 * @param ask `round` counts from 0
 * @throws {RoundsOverError} when the time is up, or a host gave a reason that will not change
 * @throws the reason of the signal
 */
export async function askAround<Answer>(
  hosts: readonly string[],
  ask: (host: string, round: number, signal: AbortSignal) => Promise<Answer>,
  options: RoundsOptions,
): Promise<Answer> {
  const { clock, random, signal, onFailure, isFinal } = options;
  const late = new AbortController();
  const cancel = ringAfter(clock, ALL_TOGETHER, () => {
    late.abort();
  });
  const ending = AbortSignal.any([signal, late.signal]);
  const refusals = new Map<string, Refusal>(); // the last of each
  try {
    const order = shuffled(hosts, random);
    for (let round = 0; ; round++) {
      for (const host of order) {
        const attempt = await ask(host, round, ending).then(answered, refused(host));
        if ("answer" in attempt) return attempt.answer;
        signal.throwIfAborted();
        if (late.signal.aborted) break; // it had no time to answer
        refusals.set(host, attempt);
        onFailure(attempt);
      }
      if ([...refusals.values()].some(({ error }) => isFinal(error))) break;
      await pause(PAUSE * 2 ** round + JITTER * (2 * fraction(random) - 1), ending, clock);
      signal.throwIfAborted();
      if (ending.aborted) break;
    }
    throw new RoundsOverError([...refusals.values()]);
  } finally {
    cancel();
  }
}

const answered = <Answer>(answer: Answer) => ({ answer });
const refused =
  (host: string) =>
  (error: unknown): Refusal => ({ host, error });

/** Ends early with the signal. */
export function pause(duration: number, signal: AbortSignal, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = ringAfter(clock, duration, done);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}

/** So that not all nodes ask the same one first. */
export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(fraction(random) * (last + 1));
    [order[last], order[other]] = [order[other] as Item, order[last] as Item];
  }
  return order;
}
