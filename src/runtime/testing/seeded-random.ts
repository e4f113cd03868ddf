/** A source of random bytes that always gives the same ones. */
import type { Random } from "../random.ts";

/** Bytes of the generator "mulberry32"; good enough for tests, not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  const word = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return {
    bytes: (length) => Uint8Array.from({ length }, () => word() & 0xff),
  };
}
