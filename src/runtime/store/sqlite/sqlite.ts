/**
 * A store in an SQLite file. Resources are read from memory; a write is answered once it is on disk
 * (WAL, synchronous=FULL). One process at a time has the file.
 */
import { systemClock, type Clock } from "../../clock.ts";
import type { Pointer } from "../../errors.ts";
import { systemRandom, type Random } from "../../random.ts";
import { Collections } from "../collections.ts";
import { History, newCookie } from "../history.ts";
import { LocalStore } from "../local.ts";
import { EVENT_LOG_DEFAULT } from "../memory.ts";
import { storeOver, type Store } from "../state.ts";
import { readContents, type DamagedRow } from "./contents.ts";
import { openDatabase, type Database } from "./database.ts";
import { sqliteJournal } from "./journal.ts";
import { prepareSchema } from "./schema.ts";

/** Options of {@link openSqliteStore}. */
export interface SqliteStoreOptions {
  /** Made when it is missing, mode 0600; so is its directory, mode 0700. */
  readonly path: string;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Tells the bookmarks of stores apart. Default: the system's. */
  readonly random?: Random;
  /** How many events bookmarks can go back, at least; 1 or more. Default 1000. */
  readonly eventLog?: number;
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
  discardDamaged(pointer: Pointer): void;
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

/** The same on a database that is open; it is closed with the store, or when this fails. */
export function sqliteStoreOver(
  database: Database,
  {
    clock = systemClock,
    random = systemRandom,
    eventLog = EVENT_LOG_DEFAULT,
  }: Omit<SqliteStoreOptions, "path">,
): SqliteStore {
  try {
    if (!(eventLog >= 1)) throw new TypeError(`an event log of ${eventLog} events is too short`);
    prepareSchema(database, () => newCookie(random));
    const { resources, damaged, history } = readContents(database);
    const collections = new Collections(resources, history.head);
    for (const { pointer } of damaged) collections.block(pointer);
    const journal = sqliteJournal(database, eventLog);
    const core = new LocalStore({
      clock,
      collections,
      history: new History(history, eventLog),
      journal,
    });
    const store = storeOver(core);
    return { ...store, ...damageOf(database, collections, damaged) };
  } catch (error) {
    database.close();
    throw error;
  }
}

function damageOf(database: Database, collections: Collections, rows: readonly DamagedRow[]) {
  let damaged = rows;
  const isAt = (pointer: Pointer) => (row: DamagedRow) =>
    row.pointer.namespace === pointer.namespace &&
    row.pointer.type === pointer.type &&
    row.pointer.id === pointer.id;
  return {
    damagedRows: () => damaged,
    discardDamaged(pointer: Pointer) {
      const found = isAt(pointer);
      if (!damaged.some(found)) return;
      const { namespace, type, id } = pointer;
      database
        .prepare("DELETE FROM resources WHERE namespace = ? AND type = ? AND id = ?")
        .run(namespace, type, id);
      damaged = damaged.filter((row) => !found(row));
      collections.unblock(pointer);
    },
  };
}
