/** JSON as Go's encoder prints it: keys in the order of their bytes (talosctl-wire.md §4.4). */
import { compareUtf8 } from "#runtime";

/** Indented by four spaces, keys sorted, with a final newline. */
export const formatJson = (value: unknown): string =>
  `${JSON.stringify(sorted(value), undefined, 4)}\n`;

/** One line, keys sorted, as a cell of a table shows it. */
export const compactJson = (value: unknown): string => JSON.stringify(sorted(value));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).sort(([left], [right]) => compareUtf8(left, right));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}
