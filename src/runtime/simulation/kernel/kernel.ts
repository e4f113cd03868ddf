/**
 * True time, which moves only from event to event. What an event sets off is over before the next one
 * begins, and is made of promises alone, so that nothing depends on how fast the machine is.
 */
import { instantOf, type Instant } from "../../instant.ts";
import { turn } from "../../engine/turn.ts";
import { EventQueue } from "./event-queue.ts";

/** So many events at one instant are no progress any more. */
const EVENTS_AT_ONCE_MAX = 10_000;
/** After so many events everything else in the process has its turn. */
const EVENTS_PER_TURN = 512;

/** Something goes round and round while no time passes. */
export class StandstillError extends Error {}

/** Runs events in order. */
export class Kernel {
  readonly #events = new EventQueue();
  #now: Instant;
  #atOnce = 0;
  #count = 0;

  constructor(start: Instant) {
    this.#now = start;
  }

  /** True time. */
  get now(): Instant {
    return this.#now;
  }

  /** How many events there were. */
  get count(): number {
    return this.#count;
  }

  /** Lets something happen; what is past happens now. @returns a function that takes it back */
  at(when: Instant, run: () => void | Promise<void>): () => void {
    return this.#events.add(when > this.#now ? when : this.#now, run);
  }

  /**
   * Goes to the next event, or to `end` when there is none until then.
   *
   * @param before called when it is time, and nothing has happened yet
   * @returns whether there was one
   * @throws {StandstillError}
   */
  async step(end: Instant, before: () => void): Promise<boolean> {
    const when = this.#events.next;
    if (when === undefined || when > end) {
      this.#now = end;
      before();
      return false;
    }
    this.#atOnce = when === this.#now ? this.#atOnce + 1 : 0;
    if (this.#atOnce > EVENTS_AT_ONCE_MAX)
      throw new StandstillError(`more than ${EVENTS_AT_ONCE_MAX} events at one instant`);
    const moves = when > this.#now;
    this.#now = instantOf(when);
    if (moves) before();
    await this.#events.take()?.();
    if (++this.#count % EVENTS_PER_TURN === 0) await turn();
    return true;
  }
}

/** Lets everything go on that waits for nothing but promises, a commit of a store among it. */
export async function rest(): Promise<void> {
  for (let round = 0; round < 4; round++)
    await new Promise<void>((resolve) => {
      process.nextTick(resolve);
    });
}
