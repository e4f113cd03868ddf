/**
 * A store in an SQLite file. Resources are read from memory; a write is answered once it is on disk
 * (WAL, synchronous=FULL). One process at a time has the file.
 */
import { systemClock, type Clock } from "../../clock.ts";
import { formatPointer, type Pointer } from "../../errors.ts";
import { instantOf } from "../../instant.ts";
import { systemRandom, type Random } from "../../random.ts";
import { pointerTo, type AnyResourceType } from "../../resource.ts";
import type { Change } from "../change.ts";
import { Collections } from "../collections.ts";
import { DAMAGED_OWNER, damagedResource, DamagedResource } from "../damaged-resource.ts";
import { History, newCookie } from "../history.ts";
import { LocalStore } from "../local.ts";
import { EVENT_LOG_DEFAULT } from "../memory.ts";
import { storeOver, type Store } from "../state.ts";
import { readContents, type DamagedRow } from "./contents.ts";
import { openDatabase, type Database } from "./database.ts";
import { SqliteEventLog, type EventLogLimits } from "./event-log.ts";
import { sqliteJournal } from "./journal.ts";
import { KnownKinds } from "./kinds.ts";
import { writeNewFile } from "./new-file.ts";
import { prepareSchema } from "./schema.ts";

/** Options of {@link openSqliteStore}. */
export interface SqliteStoreOptions {
  /** Made when it is missing, mode 0600; so is its directory, mode 0700. */
  readonly path: string;
  /**
   * Kinds whose stored specs are brought to their schema versions, and held to their schemas. A kind
   * with a schema version above 1 has to be among them.
   */
  readonly kinds?: readonly AnyResourceType[];
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Tells the bookmarks of stores apart. Default: the system's. */
  readonly random?: Random;
  /** How far bookmarks can go back, at least; a number is one of events. Default 1000. */
  readonly eventLog?: number | EventLogLimits;
}

/** A store in a file. */
export interface SqliteStore extends Store {
  /**
   * Resources that are stored and could not be read when the store was opened. They are not listed.
   * The rows are kept in the table `damaged`; a controller may write its own anew, while those that
   * nobody owns cannot be created again until they are discarded.
   */
  damagedRows(): readonly DamagedRow[];
  /** Gives up the place of a damaged row; the row itself stays in the table `damaged`. */
  discardDamaged(pointer: Pointer): Promise<void>;
  /**
   * Writes all that is acknowledged to a new file, while the store is used.
   *
   * @throws {StoreFileError} when there is such a file, or its disk is full
   */
  backup(path: string): Promise<void>;
}

/**
 * Opens the store in a file.
 *
 * @throws {StoreFileError} when the file is in use, damaged, of another program or a newer version,
 * or its disk is full
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  return sqliteStoreOver(await openDatabase(options.path), options);
}

/** What a store over a database is made with. */
export interface SqliteStoreOverOptions extends Omit<SqliteStoreOptions, "path"> {
  /** Told of changes before they are written; whether they are written shows in the database. */
  readonly onAppend?: (changes: readonly Change[]) => void;
}

/** The same on a database that is open; it is closed with the store, or when this fails. */
export function sqliteStoreOver(database: Database, options: SqliteStoreOverOptions): SqliteStore {
  try {
    const limits = limitsOf(options.eventLog);
    const { clock = systemClock, random = systemRandom } = options;
    prepareSchema(database, () => newCookie(random));
    const kinds = new KnownKinds(options.kinds ?? []);
    const now = instantOf(Math.floor(clock.now()));
    const { resources, damaged } = readContents(database, kinds, now);
    const reports = damaged.map(({ pointer, problem }) => damagedResource(pointer, problem, now));
    const log = new SqliteEventLog(database, kinds, limits);
    const start = historyStart(database);
    const collections = new Collections([...resources, ...reports], start.head);
    const history = new History({ ...start, log }, Math.min(limits.events, EVENT_LOG_DEFAULT));
    const places = new Map(damaged.map(({ pointer }) => [formatPointer(pointer), pointer]));
    const damagedAt = (id: string) => places.get(id);
    const onAppend = options.onAppend ?? (() => undefined);
    const journal = sqliteJournal(database, { clock, kinds, log, damagedAt, onAppend });
    const store = storeOver(new LocalStore({ clock, collections, history, journal }));
    return {
      ...checkingKinds(store, kinds),
      damagedRows: () => damaged.filter(({ pointer }) => collections.isDamaged(pointer)),
      async discardDamaged(pointer) {
        if (collections.isDamaged(pointer)) await store.destroy(reportOf(pointer), reporter);
      },
      backup: async (path) => writeNewFile(path, async (partial) => database.copyTo(partial)),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

const reporter = { owner: DAMAGED_OWNER };
const reportOf = (pointer: Pointer) => pointerTo(DamagedResource, formatPointer(pointer));

function limitsOf(eventLog: number | EventLogLimits = {}): Required<EventLogLimits> {
  const limits = typeof eventLog === "number" ? { events: eventLog } : eventLog;
  const { events = EVENT_LOG_DEFAULT, age = 0 } = limits;
  if (!(events >= 1)) throw new TypeError(`an event log of ${events} events is too short`);
  if (!(age >= 0)) throw new TypeError(`events cannot be kept for ${age} ms`);
  return { events, age };
}

function historyStart(database: Database): { cookie: Uint8Array; head: number } {
  const row = database
    .prepare("SELECT cookie, (SELECT max(position) FROM events) AS head FROM store")
    .row();
  return { cookie: new Uint8Array(row?.cookie as Uint8Array), head: Number(row?.head ?? 0) };
}

/** Specs are written down as of a schema version, which has to be that of the kind they are of. */
const checkingKinds = (store: Store, kinds: KnownKinds): Store => ({
  ...store,
  async create(kind, ...rest) {
    kinds.check(kind);
    return store.create(kind, ...rest);
  },
  async modify(kind, ...rest) {
    kinds.check(kind);
    return store.modify(kind, ...rest);
  },
});
