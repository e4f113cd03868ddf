/** Rates of those who ask: a burst at once, then so many a second. What is kept of them is bounded. */
import { after, seconds, type Clock, type Instant } from "#runtime";

/** How much is allowed. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

interface Bucket {
  left: number;
  at: number;
}

/**
 * The most that are kept. Of the few that have been idle for longest, the fullest makes room, and those
 * before it count as used: who has taken much is not forgotten because many others have taken little.
 */
const KEPT_MAX = 4096;
const LOOKED_AT_MAX = 16;

/** A bucket for each key; those of whom nothing is known are full. */
export class Buckets {
  readonly #rate: Rate;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Whether there is nothing left to take. */
  isEmpty(key: string): boolean {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return false;
    this.#fill(bucket);
    return bucket.left < 1;
  }

  /** Takes one, if there is one. @returns whether there was */
  take(key: string): boolean {
    const bucket = this.#buckets.get(key) ?? { left: this.#rate.burst, at: this.#clock.now() };
    this.#fill(bucket);
    // The last one to be used is the last to make room.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > KEPT_MAX) this.#forgetOne();
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }

  /** When there is one to take. */
  nextOf(key: string): Instant {
    const now = this.#clock.now();
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return now;
    this.#fill(bucket);
    return after(now, Math.max(0, ((1 - bucket.left) / this.#rate.perSecond) * seconds(1)));
  }

  #fill(bucket: Bucket): void {
    const now = this.#clock.now();
    const { burst, perSecond } = this.#rate;
    const passed = Math.max(0, now - bucket.at) / seconds(1); // the clock may have been set back
    bucket.left = Math.min(burst, bucket.left + passed * perSecond);
    bucket.at = now;
  }

  #forgetOne(): void {
    const oldest: [string, Bucket][] = [];
    for (const entry of this.#buckets) {
      oldest.push(entry);
      this.#fill(entry[1]);
      if (oldest.length === LOOKED_AT_MAX) break;
    }
    const most = Math.max(...oldest.map(([, { left }]) => left));
    for (const [key, bucket] of oldest) {
      this.#buckets.delete(key);
      if (bucket.left === most) return;
      this.#buckets.set(key, bucket);
    }
  }
}
