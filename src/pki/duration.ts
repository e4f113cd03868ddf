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
