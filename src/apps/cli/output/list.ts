/** A list that is no list of resources: as a table, or item by item. */
import { stringify } from "yaml";
import type { Io } from "../io.ts";
import { statePaint } from "../terminal.ts";
import { formatJson } from "./json.ts";
import { openTable } from "./table.ts";

/** How a list can be printed. */
export type ListFormat = "table" | "yaml" | "json";

/** What is printed: the items for programs, with instants as text; rows for people. */
export interface PrintedList {
  readonly items: readonly object[];
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Prints it; a column STATE has colours at a terminal. */
export function printList(io: Io, format: ListFormat, { items, header, rows }: PrintedList): void {
  if (format === "json") io.stdout.write(items.map(formatJson).join(""));
  else if (format === "yaml") io.stdout.write(items.map((item) => stringify(item)).join("---\n"));
  else {
    const table = openTable(statePaint(io, header.indexOf("STATE")));
    io.stdout.write(table.rows(header, ...rows));
  }
}
