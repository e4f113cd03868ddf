/** What a simulation counts. */

/** How much happened. */
export interface Counts {
  /** Steps of true time and what happened in them. */
  readonly events: number;
  readonly reconciles: number;
  readonly writes: number;
  /** Processes that ended, in order or not. */
  readonly ends: number;
  /** Properties that were looked at. */
  readonly checks: number;
  /** By kind, the faults that took effect. */
  readonly faults: Readonly<Record<string, number>>;
  /** By name, what was noted. */
  readonly notes: Readonly<Record<string, number>>;
}

type Counted = "events" | "reconciles" | "writes" | "ends" | "checks";

/** Counts. */
export class Tally {
  readonly #counts = { events: 0, reconciles: 0, writes: 0, ends: 0, checks: 0 };
  readonly #faults: Record<string, number> = {};
  readonly #notes: Record<string, number> = {};

  count(what: Counted, more = 1): void {
    this.#counts[what] += more;
  }

  countFault(kind: string): void {
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
  }

  countNote(name: string): void {
    this.#notes[name] = (this.#notes[name] ?? 0) + 1;
  }

  get counts(): Counts {
    return { ...this.#counts, faults: { ...this.#faults }, notes: { ...this.#notes } };
  }
}
