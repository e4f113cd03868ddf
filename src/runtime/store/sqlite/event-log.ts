/** The events of a store as its file has them, for bookmarks from before its memory. */
import { InvalidBookmarkError } from "../../errors.ts";
import { instantOf, type Instant } from "../../instant.ts";
import { Change } from "../change.ts";
import type { EventLog } from "../history.ts";
import type { Kind } from "../store.ts";
import { pointerOfRow } from "./contents.ts";
import type { Database, Row, Statement } from "./database.ts";
import type { KnownKinds } from "./kinds.ts";
import { resourceOfText } from "./rows.ts";

/** How many events are read at once. */
const PAGE_EVENTS = 256;
/** Events are dropped many at once, and not one for each that comes. */
const SLACK_EVENTS_MIN = 64;

/** What of the log is kept: an event goes when it is neither among the newest nor young. */
export interface EventLogLimits {
  /** So many of the newest events stay; 1 or more. Default 1000. */
  readonly events?: number;
  /** Milliseconds that an event stays for, however many there are. Default 0. */
  readonly age?: number;
}

/** The table `events`. */
export class SqliteEventLog implements EventLog {
  readonly #limits: Required<EventLogLimits>;
  readonly #kinds: KnownKinds;
  readonly #page: Statement;
  readonly #newestOfKind: Statement;
  readonly #newestOfId: Statement;
  readonly #writtenAt: Statement;
  readonly #drop: Statement;
  #oldest: number;
  /** Nothing is old enough to go before that. */
  #quietUntil = instantOf(0);

  constructor(database: Database, kinds: KnownKinds, limits: Required<EventLogLimits>) {
    this.#kinds = kinds;
    this.#limits = limits;
    const select = "SELECT * FROM events WHERE position";
    this.#page = database.prepare(`${select} > ? AND position <= ? ORDER BY position LIMIT ?`);
    const newest = `${select} <= ? AND namespace = ? AND type = ?`;
    const backwards = "ORDER BY position DESC LIMIT ?";
    this.#newestOfKind = database.prepare(`${newest} ${backwards}`);
    this.#newestOfId = database.prepare(`${newest} AND id = ? ${backwards}`);
    this.#writtenAt = database.prepare("SELECT written FROM events WHERE position = ?");
    this.#drop = database.prepare("DELETE FROM events WHERE position <= ?");
    const first = database.prepare("SELECT min(position) AS oldest FROM events").row();
    this.#oldest = Number(first?.oldest ?? 1);
  }

  get oldest(): number {
    return this.#oldest;
  }

  *pages(after: number, upTo: number): Generator<readonly Change[]> {
    for (let read = after; read < upTo;) {
      const page: Change[] = [];
      for (const row of this.#page.rows(read, upTo, PAGE_EVENTS)) {
        const change = Number(row.position) === read + 1 ? this.#changeOf(row) : undefined;
        if (change === undefined) break;
        page.push(change);
        read = change.position;
      }
      if (page.length > 0) yield page;
      if (page.length < PAGE_EVENTS && read < upTo)
        throw new InvalidBookmarkError(
          "the history of the store has a gap after the bookmark: list the resources again",
        );
    }
  }

  newest(count: number, upTo: number, { namespace, type }: Kind, id?: string): readonly Change[] {
    const rows =
      id === undefined
        ? this.#newestOfKind.rows(upTo, namespace, type, count)
        : this.#newestOfId.rows(upTo, namespace, type, id, count);
    const found: Change[] = [];
    for (const row of rows) {
      const change = this.#changeOf(row);
      if (change === undefined) break;
      found.push(change);
    }
    return found.reverse();
  }

  /**
   * Drops what need not be kept, when it is worth the while.
   *
   * @returns the position of the oldest event after that, to be told to {@link setOldest} once it is
   * durable
   */
  compact(head: number, now: Instant): number {
    const { events, age } = this.#limits;
    const slack = Math.max(Math.floor(events / 4), SLACK_EVENTS_MIN);
    if (head - this.#oldest < events + slack) return this.#oldest;
    if (age > 0 && !this.#isOld(this.#oldest + slack - 1, now, age)) return this.#oldest;
    const last = age === 0 ? head - events : this.#lastBefore(head - events, instantOf(now - age));
    if (last - this.#oldest < slack - 1) return this.#oldest;
    this.#drop.run(last);
    return last + 1;
  }

  /** Tells whether an event has its age; asks the file once for as long as it has not. */
  #isOld(position: number, now: Instant, age: number): boolean {
    if (now < this.#quietUntil) return false;
    const written = Number(this.#writtenAt.row(position)?.written ?? 0);
    this.#quietUntil = instantOf(written + age);
    return now >= this.#quietUntil;
  }

  setOldest(position: number): void {
    this.#oldest = position;
  }

  /** The last event up to `high` that was written before a moment, as they are in order. */
  #lastBefore(high: number, moment: Instant): number {
    let low = this.#oldest;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (Number(this.#writtenAt.row(middle)?.written ?? 0) <= moment) low = middle + 1;
      else high = middle - 1;
    }
    return high;
  }

  /** Nothing when it cannot be read, or is in the form of another schema version. */
  #changeOf(row: Row): Change | undefined {
    const { namespace, type, id } = pointerOfRow(row);
    if (Number(row.schema_version) !== this.#kinds.versionOf(type)) return undefined;
    try {
      const before = typeof row.before === "string" ? resourceOfText(row.before) : undefined;
      const after = typeof row.after === "string" ? resourceOfText(row.after) : undefined;
      if (before === undefined && after === undefined) return undefined;
      return new Change(Number(row.position), { namespace, type }, id, { before, after });
    } catch {
      return undefined;
    }
  }
}
