/** How far away an instant is, in words, as go-humanize puts it. */
import { days, hours, minutes, seconds, type Instant } from "#runtime";

const MONTH = days(30);
const YEAR = days(360);

/** Below the first number that is larger than the distance stand its words; %d counts the unit. */
const MAGNITUDES: readonly (readonly [below: number, words: string, unit?: number])[] = [
  [seconds(1), "now"],
  [seconds(2), "1 second"],
  [minutes(1), "%d seconds", seconds(1)],
  [minutes(2), "1 minute"],
  [hours(1), "%d minutes", minutes(1)],
  [hours(2), "1 hour"],
  [days(1), "%d hours", hours(1)],
  [days(2), "1 day"],
  [days(7), "%d days", days(1)],
  [days(14), "1 week"],
  [MONTH, "%d weeks", days(7)],
  [2 * MONTH, "1 month"],
  [YEAR, "%d months", MONTH],
  [18 * MONTH, "1 year"],
  [2 * YEAR, "2 years"],
  [37 * YEAR, "%d years", YEAR],
  [Infinity, "a long while"],
];

/** `3 days ago`, `1 year from now`, or `now`. */
export function relativeTime(moment: Instant, now: Instant): string {
  const distance = Math.abs(moment - now);
  const [, words = "", unit = 1] = MAGNITUDES.find(([below]) => distance < below) ?? [];
  if (words === "now") return words;
  const counted = words.replace("%d", String(Math.floor(distance / unit)));
  return `${counted} ${moment > now ? "from now" : "ago"}`;
}
