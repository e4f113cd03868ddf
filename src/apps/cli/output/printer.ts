/** Prints the resources of `get`, one after the other, in the shape that was asked for. */
import type { Io, Sink } from "../io.ts";
import { statePaint } from "../terminal.ts";
import { parseJsonPath } from "./json-path.ts";
import { columnCells, resourceJson, resourcePath, resourceYaml } from "./resource.ts";
import type { Heading, Printable } from "./resource.ts";
import { openTable } from "./table.ts";

/** What of a definition decides how its resources are printed. */
export interface Columns {
  readonly displayType: string;
  readonly printColumns: readonly { readonly name: string; readonly jsonPath: string }[];
}

/** A resource and what is said about it. */
export interface Item {
  readonly heading: Heading;
  readonly resource: Printable;
}

/** Prints in one write what belongs together. */
export interface Printer {
  /**
   * @returns what could not be printed; the rest was
   */
  readonly print: (items: readonly Item[]) => readonly Error[];
}

/** `jsonpath=` is followed by a template. */
export type OutputFormat = "table" | "yaml" | "json" | `jsonpath=${string}`;

/**
 * A printer for one kind; `watching` gives the table its column of marks.
 *
 * @throws {JsonPathError} when there is a template, and it is malformed
 */
export function openPrinter(
  format: OutputFormat,
  columns: Columns,
  io: Pick<Io, "stdout" | "env">,
  watching: boolean,
): Printer {
  if (format === "table") return tablePrinter(columns, io, watching);
  if (format === "yaml") return yamlPrinter(io.stdout);
  const path = format === "json" ? undefined : parseJsonPath(format.slice(JSON_PATH.length), false);
  const text = ({ heading, resource }: Item) =>
    path === undefined ? resourceJson(heading, resource) : resourcePath(path, heading, resource);
  return { print: (items) => printed(io.stdout, items, text) };
}

/** Before a template. */
export const JSON_PATH = "jsonpath=";

function yamlPrinter(stdout: Sink): Printer {
  let first = true;
  return {
    print: (items) =>
      printed(stdout, items, ({ heading, resource }) => {
        const text = `${first ? "" : "---\n"}${resourceYaml(heading, resource)}`;
        first = false;
        return text;
      }),
  };
}

/** talosctl-wire.md §4.5: an update has no mark. */
const MARKS = { created: "+", updated: "", destroyed: "-" };

function tablePrinter(
  { displayType, printColumns }: Columns,
  io: Pick<Io, "stdout" | "env">,
  watching: boolean,
): Printer {
  const paths = printColumns.map(({ jsonPath }) => jsonPath);
  const names = printColumns.map(({ name }) => name.toUpperCase());
  let head: string[][] = [
    ["NODE", ...(watching ? ["*"] : []), "NAMESPACE", "TYPE", "ID", "VERSION", ...names],
  ];
  const table = openTable(statePaint(io, head[0]?.indexOf("STATE") ?? -1));
  return {
    print(items) {
      const failures: Error[] = [];
      const rows = [...head];
      for (const { heading, resource } of items)
        try {
          const { namespace, id, version } = resource.metadata;
          const mark = watching ? [MARKS[heading.event ?? "updated"]] : [];
          const cells = columnCells(resource, paths);
          rows.push([heading.node, ...mark, namespace, displayType, id, version, ...cells]);
        } catch (error) {
          failures.push(asError(error));
        }
      if (rows.length > 0) io.stdout.write(table.rows(...rows));
      head = [];
      return failures;
    },
  };
}

function printed(stdout: Sink, items: readonly Item[], text: (item: Item) => string): Error[] {
  const failures: Error[] = [];
  let all = "";
  for (const item of items)
    try {
      all += text(item);
    } catch (error) {
      failures.push(asError(error));
    }
  if (all !== "") stdout.write(all);
  return failures;
}

const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown));
