/** The disk seam: the only file that knows the SQLite library. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type Sqlite from "better-sqlite3";
import { StoreClosedError } from "../closed.ts";
import { makeDurable } from "./durable.ts";
import { fileError } from "./file-error.ts";

const PROBE_BYTES = 65536;

/** What a column holds. */
export type Column = string | number | Uint8Array | null;

/** What a query answers with. */
export type Row = Readonly<Record<string, Column>>;

/** An SQL statement that is compiled once. */
export interface Statement {
  run(...values: readonly Column[]): void;
  rows(...values: readonly Column[]): Iterable<Row>;
  /** The first row. */
  row(...values: readonly Column[]): Row | undefined;
}

/** An open database. Failures of the file are {@link StoreFileError}s. */
export interface Database {
  /** What messages call it: its absolute path, unless it was given another name. */
  readonly path: string;
  execute(sql: string): void;
  prepare(sql: string): Statement;
  /** The single value of a pragma. */
  pragma(source: string): unknown;
  /** Runs `write` in a transaction, durable on return; a throw takes all of it back. */
  transaction(write: () => void): void;
  /**
   * Copies all that is committed to a file, in steps between which the database can be used. What
   * fails is thrown as it comes: it may be of either file.
   */
  copyTo(file: string): Promise<void>;
  close(): void;
}

/**
 * Opens a database file that no other process may have open, and makes it when it is missing:
 * mode 0600, in a directory of mode 0700.
 *
 * @param name what messages call it
 * @throws {StoreFileError} when the file is in use, damaged, or its disk is full
 */
export async function openDatabase(file: string, name = resolve(file)): Promise<Database> {
  const path = resolve(file);
  const guarded = guardedBy(name);
  const { default: Sqlite } = await import("better-sqlite3");
  guarded(() => makePrivate(path));
  const sqlite = guarded(() => new Sqlite(path, { timeout: 0 }));
  return databaseOver(sqlite, name);
}

/** What is done at the points of a transaction where a machine can fail; a throw is its failure. */
export interface DiskHooks {
  /** Before anything is written. */
  readonly begins?: () => void;
  /** All is written and nothing is durable: a throw takes all of it back. */
  readonly ends?: () => void;
  /** All is durable, and nobody knows yet. */
  readonly committed?: () => void;
  /** The database is closed, by whomever; called once. */
  readonly closes?: (image: Uint8Array) => void;
}

/** A database in memory: the disk of a simulated machine. */
export interface MemoryDatabase extends Database {
  /** All that is committed. */
  image(): Uint8Array;
}

/**
 * Loads the library, so that databases can be opened in memory at once.
 *
 * @returns opens a new database, or one with what an image holds
 */
export async function loadMemoryDatabases(): Promise<
  (hooks?: DiskHooks, image?: Uint8Array) => MemoryDatabase
> {
  const { default: Sqlite } = await import("better-sqlite3");
  return ({ begins, ends, committed, closes } = {}, image) => {
    const sqlite = new Sqlite(image === undefined ? ":memory:" : Buffer.from(image));
    const database = databaseOver(sqlite, "(simulated)");
    const imageOf = () => new Uint8Array(sqlite.serialize());
    return {
      ...database,
      image: imageOf,
      transaction(write) {
        begins?.();
        database.transaction(() => {
          write();
          ends?.();
        });
        committed?.();
      },
      close() {
        if (sqlite.open) closes?.(imageOf());
        database.close();
      },
    };
  };
}

const guardedBy =
  (name: string) =>
  <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      throw fileError(error, name);
    }
  };

function databaseOver(sqlite: Sqlite.Database, name: string): Database {
  const guarded = guardedBy(name);
  const pragma = (source: string) => guarded(() => sqlite.pragma(source, { simple: true }));
  const transact = sqlite.transaction((write: () => void) => write());
  return {
    path: name,
    execute: (sql) => void guarded(() => sqlite.exec(sql)),
    prepare(sql) {
      const statement = guarded(() => sqlite.prepare<unknown[], Row>(sql));
      return {
        run: (...values) => void guarded(() => statement.run(...values)),
        row: (...values) => guarded(() => statement.get(...values)),
        *rows(...values) {
          try {
            yield* statement.iterate(...values);
          } catch (error) {
            throw fileError(error, name);
          }
        },
      };
    },
    pragma,
    transaction: (write) => guarded(() => transact.immediate(write)),
    async copyTo(target) {
      try {
        await sqlite.backup(target);
      } catch (error) {
        if (!sqlite.open) throw new StoreClosedError();
        const [pages, bytes] = [pragma("page_count"), pragma("page_size")].map(Number);
        throw (await cannotHold(target, (pages ?? 0) * (bytes ?? 0))) ?? error;
      }
    },
    close: () => void guarded(() => sqlite.close()),
  };
}

/**
 * SQLite gives its other files the mode of this one. An existing file is never opened here: closing
 * it would drop the locks that this process has on it (fcntl(2), "Record locks").
 */
function makePrivate(path: string): void {
  if (!existsSync(path)) {
    const folder = dirname(path);
    const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (made !== undefined) storeEntries(folder, dirname(made));
    try {
      closeSync(openSync(path, "wx", 0o600));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isFile() && (found.mode & 0o777) !== 0o600) chmodSync(file, 0o600);
  }
}

/** The library says of a copy that fails no more than "I/O error"; writing as much says why. */
async function cannotHold(file: string, bytes: number): Promise<unknown> {
  try {
    for (let written = 0; written < bytes; written += PROBE_BYTES)
      await appendFile(file, new Uint8Array(PROBE_BYTES));
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Makes the entries of new directories durable, from `folder` up to `top`. */
function storeEntries(folder: string, top: string): void {
  for (let at = dirname(folder); at.length >= top.length; at = dirname(at)) {
    makeDurable(at);
    if (at === top) return;
  }
}
