/** Durations, which pass however the clock is set. */
import type { Clock } from "./clock.ts";
import { after, type Instant } from "./instant.ts";

/**
 * Rings once after a duration, also when the clock is set meanwhile.
 *
 * @returns a function that cancels it; calling it twice or after the ring does nothing
 */
export function ringAfter(clock: Clock, duration: number, ring: () => void): () => void {
  let when: Instant = after(clock.now(), duration);
  const rung = () => {
    unfollow();
    ring();
  };
  let cancel = clock.alarm(when, rung);
  const unfollow = clock.onStep((by) => {
    cancel();
    when = after(when, by);
    cancel = clock.alarm(when, rung);
  });
  return () => {
    unfollow();
    cancel();
  };
}
