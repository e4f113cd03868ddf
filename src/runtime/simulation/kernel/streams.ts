/**
 * Streams of chance. Each is made of the seed and of what it is for, so that one which is drawn from
 * more or less often does not change what the others give.
 */
import { createHash } from "node:crypto";
import type { Random } from "../../random.ts";

/** A stream of chance. */
export interface Stream extends Random {
  /** A number in [0, 1). */
  fraction(): number;
  /** A whole number in [0, `count`). */
  below(count: number): number;
  /** A number in [`low`, `high`). */
  between(low: number, high: number): number;
}

const WORD = 2 ** 32;

/** A stream that is the same for the same words, on any machine. */
export function streamOf(...words: readonly (string | number)[]): Stream {
  const word = xoshiro128(createHash("sha256").update(JSON.stringify(words)).digest());
  const fraction = () => word() / WORD;
  return {
    fraction,
    below: (count) => Math.floor(fraction() * count),
    between: (low, high) => low + fraction() * (high - low),
    bytes(length) {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at += 4) {
        const drawn = word();
        for (let i = 0; i < 4 && at + i < length; i++) bytes[at + i] = drawn >>> (8 * i);
      }
      return bytes;
    },
  };
}

/** The generator xoshiro128** 1.1 of Blackman and Vigna; not for secrets. */
function xoshiro128(seed: Uint8Array): () => number {
  const words = new DataView(seed.buffer, seed.byteOffset);
  let [a, b, c, d] = [0, 4, 8, 12].map((at) => words.getUint32(at)) as Four;
  return () => {
    const drawn = Math.imul(rotated(Math.imul(b, 5), 7), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotated(d, 11);
    return drawn >>> 0;
  };
}

type Four = [number, number, number, number];

const rotated = (word: number, by: number) => (word << by) | (word >>> (32 - by));
