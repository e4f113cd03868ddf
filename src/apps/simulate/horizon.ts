/** Horizons that can be typed: so many millionths of a day, which a command prints as it takes them. */
import { days } from "#runtime";

const PARTS = 1_000_000;

/** Milliseconds of so many days, to the millionth of one. */
export const wholeHorizon = (count: number): number =>
  Math.round((Math.round(count * PARTS) * days(1)) / PARTS);

/** Its days as text, with as many digits as it takes to get the same horizon from them again. */
export const daysOf = (horizon: number): string =>
  (Math.round((horizon * PARTS) / days(1)) / PARTS).toFixed(6).replace(/\.?0+$/, "");
