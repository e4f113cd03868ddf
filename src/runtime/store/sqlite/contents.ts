/** What is in a database when it is opened. A row that cannot be read stays and is told of. */
import type { Pointer } from "../../errors.ts";
import type { Resource } from "../../resource.ts";
import type { Change } from "../change.ts";
import type { HistoryStart } from "../history.ts";
import type { Column, Database } from "./database.ts";
import { resourceOfRow, resourceOfText } from "./rows.ts";

/** A stored resource that cannot be read. */
export interface DamagedRow {
  readonly pointer: Pointer;
  /** What is wrong with it; never what is in it. */
  readonly problem: string;
}

/** Everything that is stored. */
export interface Contents {
  readonly resources: readonly Resource[];
  readonly damaged: readonly DamagedRow[];
  readonly history: HistoryStart;
}

/** @throws {StoreFileError} when the file, and not only a row, cannot be read */
export function readContents(database: Database): Contents {
  const resources: Resource[] = [];
  const damaged: DamagedRow[] = [];
  const kept: [DamagedRow, contents: string][] = [];
  const rows = database.prepare("SELECT * FROM resources ORDER BY namespace, type, id").rows();
  for (const row of rows) {
    try {
      resources.push(resourceOfRow(row));
    } catch (error) {
      const found = { pointer: pointerOfRow(row), problem: problemOf(error) };
      damaged.push(found);
      kept.push([found, JSON.stringify(row)]);
    }
  }
  if (kept.length > 0) keep(database, kept);
  return { resources, damaged, history: readHistory(database) };
}

/** Puts copies aside, once each: their places may be written anew. */
function keep(database: Database, rows: readonly (readonly [DamagedRow, string])[]): void {
  const put = database.prepare("INSERT OR IGNORE INTO damaged VALUES (?, ?, ?, ?, ?)");
  database.transaction(() => {
    for (const [{ pointer, problem }, contents] of rows)
      put.run(pointer.namespace, pointer.type, pointer.id, problem, contents);
  });
}

function readHistory(database: Database): HistoryStart {
  const [store] = database.prepare("SELECT cookie FROM store").rows();
  let changes: Change[] = [];
  let head = 0;
  for (const row of database.prepare("SELECT * FROM events ORDER BY position").rows()) {
    const position = Number(row.position);
    if (position !== head + 1) changes = [];
    head = position;
    try {
      changes.push(changeOf(row));
    } catch {
      changes = []; // bookmarks from before it are invalid now, and their watches list again
    }
  }
  return { cookie: new Uint8Array(store?.cookie as Uint8Array), changes, head };
}

function changeOf(row: Readonly<Record<string, Column>>): Change {
  const { namespace, type, id } = pointerOfRow(row);
  const side = (column: Column | undefined) =>
    typeof column === "string" ? resourceOfText(column) : undefined;
  const [before, after] = [side(row.before), side(row.after)];
  if (before === undefined && after === undefined) throw new Error("has neither side");
  return { position: Number(row.position), kind: { namespace, type }, id, before, after };
}

const pointerOfRow = ({ namespace, type, id }: Readonly<Record<string, Column>>): Pointer => ({
  namespace: String(namespace),
  type: String(type),
  id: String(id),
});

const problemOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
