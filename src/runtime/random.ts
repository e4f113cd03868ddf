/**
 * The only place that draws random bytes. Everything else is given a {@link Random}.
 */
import { randomFillSync } from "node:crypto";

/** A source of random bytes. */
export interface Random {
  /** @returns a new array of `length` bytes */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/** A call of the generator takes longer than to draw that much. */
const POOL_BYTES = 1024;
/** What is asked for in larger pieces is drawn by itself. */
const PIECE_BYTES_MAX = 64;

const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

/** The operating system's generator. */
export const systemRandom: Random = {
  bytes(length) {
    if (length > PIECE_BYTES_MAX) return randomFillSync(new Uint8Array(length));
    if (used + length > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    const piece = pool.slice(used, used + length);
    pool.fill(0, used, used + length); // nobody finds here what became a secret
    used += length;
    return piece;
  },
};

/** A number in [0, 1) with 32 bits, for jitter; not for secrets. */
export function fraction(random: Random): number {
  const word = random.bytes(4);
  return new DataView(word.buffer).getUint32(0) / 2 ** 32;
}
