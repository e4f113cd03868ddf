/** What is in a database when it is opened. A row that cannot be read stays and is told of. */
import type { Instant } from "../../instant.ts";
import type { Pointer } from "../../errors.ts";
import type { Resource } from "../../resource.ts";
import type { Database, Row } from "./database.ts";
import type { KnownKinds } from "./kinds.ts";
import { columnsOf, resourceOfRow } from "./rows.ts";

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
}

/**
 * Reads all resources, in the schema versions of their kinds; what has an older one is written anew
 * in that of today, as an update.
 *
 * @throws {StoreFileError} when the file, and not only a row, cannot be read
 */
export function readContents(database: Database, kinds: KnownKinds, now: Instant): Contents {
  const resources: Resource[] = [];
  const migrated: Resource[] = [];
  const damaged: DamagedRow[] = [];
  const kept: [DamagedRow, contents: string][] = [];
  const rows = database.prepare("SELECT * FROM resources ORDER BY namespace, type, id").rows();
  for (const row of rows) {
    try {
      const stored = resourceOfRow(row);
      const current = kinds.current(stored, Number(row.schema_version));
      if (current === stored) resources.push(stored);
      else migrated.push(updated(current, now));
    } catch (error) {
      if (error instanceof TypeError) throw error;
      const found = { pointer: pointerOfRow(row), problem: problemOf(error) };
      damaged.push(found);
      kept.push([found, JSON.stringify(row)]);
    }
  }
  if (kept.length + migrated.length > 0)
    database.transaction(() => {
      keep(database, kept);
      rewrite(database, migrated, kinds);
      breakEvents(database, now);
    });
  return { resources: [...resources, ...migrated], damaged };
}

function updated({ metadata, spec }: Resource, now: Instant): Resource {
  const next = { ...metadata, version: metadata.version + 1, updated: now };
  return Object.freeze({ metadata: Object.freeze(next), spec });
}

/** Puts copies aside, once each: their places may be written anew. */
function keep(database: Database, rows: readonly (readonly [DamagedRow, string])[]): void {
  const put = database.prepare("INSERT OR IGNORE INTO damaged VALUES (?, ?, ?, ?, ?)");
  for (const [{ pointer, problem }, contents] of rows)
    put.run(pointer.namespace, pointer.type, pointer.id, problem, contents);
}

function rewrite(database: Database, resources: readonly Resource[], kinds: KnownKinds): void {
  const put = database.prepare(
    "INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  for (const resource of resources) {
    const version = kinds.versionOf(resource.metadata.type);
    put.run(...columnsOf(resource, JSON.stringify(resource.spec), version));
  }
}

/**
 * What follows did not come about by events, so no bookmark from before leads to it: an event that
 * nobody can read stands in between.
 */
function breakEvents(database: Database, now: Instant): void {
  database
    .prepare(
      `INSERT INTO events
       SELECT ifnull(max(position), 0) + 1, '', '', '', 'break', NULL, NULL, ?, 0 FROM events`,
    )
    .run(now);
}

/** The address in a row, which is readable even if nothing else is. */
export const pointerOfRow = ({ namespace, type, id }: Row): Pointer => ({
  namespace: String(namespace),
  type: String(type),
  id: String(id),
});

const problemOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
