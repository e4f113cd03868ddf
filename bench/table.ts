/** The table as text. */
import { reached, type Result } from "./results.ts";
import { units } from "./row.ts";
import type { Spread } from "./statistics.ts";

const COLUMNS = ["", "unit", "ours", "Go", "ratio", "asked", ""] as const;

/** One line a row, a heading a group; each value is a median, with the least and greatest after it. */
export function table(results: readonly Result[]): string {
  const lines: (readonly string[])[] = [COLUMNS];
  let group = "";
  for (const result of results) {
    if (result.group !== group) lines.push([(group = result.group)]);
    lines.push(cellsOf(result));
  }
  const cells = lines.filter(({ length }) => length > 1);
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)));
  return lines
    .map((line) => line.map((cell, column) => pad(cell, column, widths[column]!)).join("  "))
    .map((line) => line.trimEnd())
    .join("\n");
}

/** The same as a table in Markdown, each value with its unit: the figures of docs/benchmarks.md. */
export function markdown(results: readonly Result[]): string {
  const lines = results.map((result) => {
    const [, unit, ours, go, ratio, wanted, isReached] = cellsOf(result);
    return [`${result.group}: ${result.name}`, unit, ours, go, ratio, wanted, isReached];
  });
  const rule = COLUMNS.map((_, column) => (column < 2 || column === 6 ? "---" : "---:"));
  return [COLUMNS, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Names and units on the left, numbers on the right. */
const pad = (cell: string, column: number, width: number) =>
  column < 2 || column === 6 ? cell.padEnd(width) : cell.padStart(width);

function cellsOf(result: Result): readonly string[] {
  const isReached = reached(result);
  return [
    `  ${result.name}`,
    result.unit ?? "",
    spread(result.ours, amount),
    spread(result.go, amount),
    spread(result.ratio, quotient),
    asked(result),
    isReached === null ? "" : isReached ? "yes" : "NO",
  ];
}

function spread(value: Spread | null, text: (value: number) => string): string {
  if (value === null) return "–";
  const { min, median: middle, max } = value;
  return min === max ? text(middle) : `${text(middle)} (${text(min)}–${text(max)})`;
}

function asked({ target, limit, unit }: Result): string {
  if (target !== null) return `≥ ${quotient(target)}`;
  if (limit === null || unit === null) return "–";
  return `${units[unit].better === "more" ? "≥" : "≤"} ${amount(limit)}`;
}

/** Three digits, more than that before the point: 1.23, 12.3, 12,345. */
const amount = (value: number) =>
  value.toLocaleString("en-US", { maximumFractionDigits: digitsAfterPoint(value) });

const quotient = (value: number) => value.toFixed(digitsAfterPoint(value));

const digitsAfterPoint = (value: number) => (value < 10 ? 2 : value < 100 ? 1 : 0);

/** What is to be said of rows, each once. */
export const remarksOf = (results: readonly Result[]): readonly string[] => [
  ...new Set(
    results.flatMap(({ group, name, remarks }) =>
      remarks.map((remark) => `${group}: ${name}: ${remark}`),
    ),
  ),
];
