/**
 * The only place that draws random bytes. Everything else is given a {@link Random}.
 */
import { randomFillSync } from "node:crypto";

/** A source of random bytes. */
export interface Random {
  /** @returns a new array of `length` bytes */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/** The operating system's generator. */
export const systemRandom: Random = {
  bytes: (length) => randomFillSync(new Uint8Array(length)),
};

/** A number in [0, 1) with 32 bits, for jitter; not for secrets. */
export function fraction(random: Random): number {
  const word = random.bytes(4);
  return new DataView(word.buffer).getUint32(0) / 2 ** 32;
}
