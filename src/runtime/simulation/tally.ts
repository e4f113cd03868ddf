/** What a simulation counts. */
import { hours, type Instant } from "../instant.ts";

/** How much happened. */
export interface Counts {
  /** Steps of true time and what happened in them. */
  readonly events: number;
  readonly reconciles: number;
  readonly writes: number;
  /** Processes that ended, in order or not. */
  readonly ends: number;
  /** What operators began to do, on nodes that were up. */
  readonly operations: number;
  /** How much of that ended with a coded error. */
  readonly refused: number;
  /** Properties that were looked at. */
  readonly checks: number;
  /** By kind, the faults that took effect. */
  readonly faults: Readonly<Record<string, number>>;
  /** By name, what was noted. */
  readonly notes: Readonly<Record<string, number>>;
  /** By name, how much was noted in the busiest hour. */
  readonly peaks: Readonly<Record<string, number>>;
}

type Counted = "events" | "reconciles" | "writes" | "ends" | "operations" | "refused" | "checks";

/** How many faults took effect. */
export const faultsIn = ({ faults }: Counts): number =>
  Object.values(faults).reduce((all, count) => all + count, 0);

/** Counts. */
export class Tally {
  readonly #counts = {
    ...{ events: 0, reconciles: 0, writes: 0, ends: 0 },
    ...{ operations: 0, refused: 0, checks: 0 },
  };
  readonly #faults: Record<string, number> = {};
  readonly #notes: Record<string, number> = {};
  readonly #peaks: Record<string, number> = {};
  readonly #hours = new Map<string, { readonly hour: number; readonly count: number }>();

  count(what: Counted, more = 1): void {
    this.#counts[what] += more;
  }

  countFault(kind: string): void {
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
  }

  /** @param now true time */
  countNote(name: string, now: Instant): void {
    this.#notes[name] = (this.#notes[name] ?? 0) + 1;
    const hour = Math.floor(now / hours(1));
    const before = this.#hours.get(name);
    const count = before?.hour === hour ? before.count + 1 : 1;
    this.#hours.set(name, { hour, count });
    this.#peaks[name] = Math.max(this.#peaks[name] ?? 0, count);
  }

  get counts(): Counts {
    return {
      ...this.#counts,
      faults: { ...this.#faults },
      notes: { ...this.#notes },
      peaks: { ...this.#peaks },
    };
  }
}
