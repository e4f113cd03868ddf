/** Tables as Go's tabwriter prints them with three spaces of padding (talosctl-wire.md §4.3). */

const PADDING = 3;

/** Formats rows one after the other; a column never gets narrower than it has been. */
export interface Table {
  /** Formats rows that are aligned with each other and with those before, each with its newline. */
  rows(...rows: readonly (readonly string[])[]): string;
}

/** Gives a cell a colour, which takes no room. */
export type Paint = (cell: string, column: number) => string;

const unpainted: Paint = (cell) => cell;

/** A table whose first rows decide how wide its columns begin. */
export function openTable(paint = unpainted): Table {
  const widths: number[] = [];
  return {
    rows(...rows) {
      const clean = rows.map((row) => row.map(printable));
      for (const row of clean)
        for (const [column, cell] of row.entries())
          widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
      return clean
        .map((row) => `${row.map((cell, i) => padded(cell, i, row)).join("")}\n`)
        .join("");
    },
  };

  function padded(cell: string, column: number, row: readonly string[]): string {
    const painted = paint(cell, column);
    if (column === row.length - 1) return painted;
    return painted + " ".repeat((widths[column] ?? 0) + PADDING - widthOf(cell));
  }
}

/** In characters, as tabwriter counts. */
const widthOf = (cell: string): number => Array.from(cell).length;

/** A whole table. */
export const formatTable = (rows: readonly (readonly string[])[]): string =>
  openTable().rows(...rows);

/** Control characters would move the cursor, or worse: what a node sends is not trusted with that. */
export const printable = (cell: string): string =>
  cell.replace(/\p{Cc}/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
