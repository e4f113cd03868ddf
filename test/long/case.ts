/** What a long case is, and how it says that it cannot run here. */

/** A case that cannot run on this machine; the reason is printed. */
export class SkipError extends Error {}

export interface LongCase {
  readonly name: string;
  /**
   * @param ci reduced counts
   * @returns what was tried, in a phrase with its numbers
   */
  run(options: { readonly ci: boolean; readonly scratch: string }): Promise<string>;
}

/** A small generator for tests: the same seed, the same numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
