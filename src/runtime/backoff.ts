/** How long to wait before a failed reconcile is tried again (cosi.md §6.5). */
import { milliseconds, seconds } from "./instant.ts";
import { fraction, type Random } from "./random.ts";

const FIRST_MS = milliseconds(500);
const GROWTH = 1.5;
const INTERVAL_MS_MAX = seconds(60);
const SPREAD = 0.5;

/**
 * The delay before the next try: 0.5 s, growing by half with each attempt up to a minute, and then
 * up to half of it more or less, so that what failed together does not come back together.
 *
 * @param attempt how many tries have failed in a row, from 1
 */
export function retryDelay(attempt: number, random: Random): number {
  const interval = Math.min(FIRST_MS * GROWTH ** (attempt - 1), INTERVAL_MS_MAX);
  return Math.round(interval * (1 - SPREAD + 2 * SPREAD * fraction(random)));
}
