/** How long something took, as Go prints durations. */
import { hours, minutes, seconds } from "#runtime";

/** In whole seconds: `0s`, `12s`, `1m5s`, `2h0m3s`. */
export function formatElapsed(ms: number): string {
  const total = Math.round(Math.max(0, ms) / seconds(1)) * seconds(1);
  const h = Math.floor(total / hours(1));
  const m = Math.floor((total % hours(1)) / minutes(1));
  const s = (total % minutes(1)) / seconds(1);
  return `${h > 0 ? `${h}h` : ""}${h > 0 || m > 0 ? `${m}m` : ""}${s}s`;
}
