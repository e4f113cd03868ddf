/** Choices by seed. */
import { seeded } from "../long/case.ts";

/** A stream of choices. */
export interface Chance {
  /** In [0, below), whole. */
  below(limit: number): number;
  happens(probability: number): boolean;
  of<T>(list: readonly T[]): T;
  bytes(length: number): Uint8Array;
}

/** The stream of one round; each round has its own, so that it can be run alone. */
export function chanceOf(seed: number, round: number): Chance {
  const next = seeded(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(round + 1, 0x85ebca6b));
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    happens: (probability) => next() < probability,
    of: (list) => list[below(list.length)]!,
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
  };
}
