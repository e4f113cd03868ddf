/** Changes go to the tables of a database, those of many commits in one transaction. */
import type { Clock } from "../../clock.ts";
import type { Pointer } from "../../errors.ts";
import { instantOf, type Instant } from "../../instant.ts";
import type { Resource } from "../../resource.ts";
import type { Change } from "../change.ts";
import { DamagedResource } from "../damaged-resource.ts";
import type { Journal } from "../local.ts";
import type { Database } from "./database.ts";
import type { SqliteEventLog } from "./event-log.ts";
import type { KnownKinds } from "./kinds.ts";
import { columnsOf, textOf } from "./rows.ts";

/** What changes are written with. */
export interface JournalParts {
  readonly clock: Clock;
  readonly kinds: KnownKinds;
  readonly log: SqliteEventLog;
  /** Where the row is that a damaged resource of that id tells of. */
  readonly damagedAt: (id: string) => Pointer | undefined;
  /** Told of changes before they are written. */
  readonly onAppend: (changes: readonly Change[]) => void;
}

/** Writes changes down, and drops the oldest events. */
export function sqliteJournal(
  database: Database,
  { clock, kinds, log, damagedAt, onAppend }: JournalParts,
): Journal {
  const write = writerTo(database, kinds, damagedAt);
  return {
    append(changes) {
      onAppend(changes);
      const now = instantOf(Math.floor(clock.now()));
      const head = changes.at(-1)?.position ?? 0;
      let { oldest } = log;
      database.transaction(() => {
        for (const change of changes) write(change, now);
        oldest = log.compact(head, now);
      });
      log.setOldest(oldest);
    },
    close: () => database.close(),
  };
}

function writerTo(
  database: Database,
  kinds: KnownKinds,
  damagedAt: JournalParts["damagedAt"],
): (change: Change, now: Instant) => void {
  const put = database.prepare(
    "INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const take = database.prepare(
    "DELETE FROM resources WHERE namespace = ? AND type = ? AND id = ?",
  );
  const event = database.prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  return ({ position, kind: { namespace, type }, id, before, after }, now) => {
    const version = kinds.versionOf(type);
    const text = after && JSON.stringify(after.spec);
    const row = type === DamagedResource.type ? damagedAt(id) : { namespace, type, id };
    if (after && text !== undefined) put.run(...columnsOf(after, text, version));
    else if (row !== undefined) take.run(row.namespace, row.type, row.id);
    const was = before ? textOf(before, specTextOf(before, after, text)) : null;
    const is = after && text !== undefined ? textOf(after, text) : null;
    event.run(position, namespace, type, id, nameOf(before, after), was, is, now, version);
  };
}

/** Metadata changes leave the spec alone, whose text is then there already. */
const specTextOf = (before: Resource, after: Resource | undefined, text: string | undefined) =>
  text !== undefined && before.spec === after?.spec ? text : JSON.stringify(before.spec);

const nameOf = (before: Resource | undefined, after: Resource | undefined) =>
  before === undefined ? "created" : after === undefined ? "destroyed" : "updated";
