/** Changes go to the tables of a database, those of many commits in one transaction. */
import type { Resource } from "../../resource.ts";
import type { Change } from "../change.ts";
import type { Journal } from "../local.ts";
import type { Database } from "./database.ts";
import { columnsOf, textOf } from "./rows.ts";

/** @param keep how many events stay in the log, at least */
export function sqliteJournal(database: Database, keep: number): Journal {
  const put = database.prepare(
    "INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const take = database.prepare(
    "DELETE FROM resources WHERE namespace = ? AND type = ? AND id = ?",
  );
  const log = database.prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)");
  const compact = database.prepare("DELETE FROM events WHERE position <= ?");
  const slack = Math.max(keep / 4, 64); // many events go at once, not one for each that comes
  const [bounds] = database.prepare("SELECT min(position) AS oldest FROM events").rows();
  let oldest = Number(bounds?.oldest ?? 1);

  const write = ({ position, kind, id, before, after }: Change) => {
    const specText = after && JSON.stringify(after.spec);
    if (after && specText !== undefined) put.run(...columnsOf(after, specText));
    else take.run(kind.namespace, kind.type, id);
    const old = before && textOf(before, specTextOf(before, after, specText));
    const now = after && specText !== undefined ? textOf(after, specText) : null;
    log.run(position, kind.namespace, kind.type, id, nameOf(before, after), old ?? null, now);
  };

  return {
    append(changes) {
      const head = changes.at(-1)?.position ?? 0;
      const full = head - oldest >= keep + slack;
      database.transaction(() => {
        for (const change of changes) write(change);
        if (full) compact.run(head - keep);
      });
      if (full) oldest = head - keep + 1;
    },
    close: () => database.close(),
  };
}

/** Metadata changes leave the spec alone, whose text is then there already. */
const specTextOf = (before: Resource, after: Resource | undefined, text: string | undefined) =>
  text !== undefined && before.spec === after?.spec ? text : JSON.stringify(before.spec);

const nameOf = (before: Resource | undefined, after: Resource | undefined) =>
  before === undefined ? "created" : after === undefined ? "destroyed" : "updated";
