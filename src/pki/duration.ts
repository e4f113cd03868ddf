/** Durations as Go writes them: `8760h`, `1h30m`, `1.5s`. */
import { hours, milliseconds, minutes, seconds } from "#runtime";

const units: Readonly<Record<string, number>> = {
  ns: milliseconds(1e-6),
  us: milliseconds(1e-3),
  µs: milliseconds(1e-3),
  ms: milliseconds(1),
  s: seconds(1),
  m: minutes(1),
  h: hours(1),
};

/** Reads a duration; what is none gives undefined. */
export function readDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g);
  const total = [...parts].reduce(
    (sum, [, n, unit = ""]) => sum + Number(n) * (units[unit] ?? 0),
    0,
  );
  return text.startsWith("-") ? -total : total;
}

/** Writes a duration, to the millisecond: `1h0m30s`, `-1.5s`, `250ms`. */
export function writeDuration(duration: number): string {
  const whole = Math.round(Math.abs(duration));
  const sign = duration < 0 && whole > 0 ? "-" : "";
  if (whole === 0) return "0s";
  if (whole < seconds(1)) return `${sign}${whole}ms`;
  const [h, m] = [Math.floor(whole / hours(1)), Math.floor((whole % hours(1)) / minutes(1))];
  const s = `${(whole % minutes(1)) / seconds(1)}s`;
  return sign + (h > 0 ? `${h}h${m}m${s}` : m > 0 ? `${m}m${s}` : s);
}
