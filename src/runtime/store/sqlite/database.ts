/** The disk seam: the only file that knows the SQLite library. */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  statSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { fileError } from "./file-error.ts";

/** What a column holds. */
export type Column = string | number | Uint8Array | null;

/** An SQL statement that is compiled once. */
export interface Statement {
  run(...values: readonly Column[]): void;
  rows(...values: readonly Column[]): Iterable<Readonly<Record<string, Column>>>;
}

/** An open database. Failures of the file are {@link StoreFileError}s. */
export interface Database {
  /** Absolute. */
  readonly path: string;
  execute(sql: string): void;
  prepare(sql: string): Statement;
  /** The single value of a pragma. */
  pragma(source: string): unknown;
  /** Runs `write` in a transaction, durable on return; a throw takes all of it back. */
  transaction(write: () => void): void;
  close(): void;
}

/**
 * Opens a database file that no other process may have open, and makes it when it is missing:
 * mode 0600, in a directory of mode 0700.
 *
 * @throws {StoreFileError} when the file is in use, damaged, or its disk is full
 */
export async function openDatabase(file: string): Promise<Database> {
  const path = resolve(file);
  const guarded = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      throw fileError(error, path);
    }
  };
  const { default: Sqlite } = await import("better-sqlite3");
  guarded(() => makePrivate(path));
  const sqlite = guarded(() => new Sqlite(path, { timeout: 0 }));
  const transact = sqlite.transaction((write: () => void) => write());
  return {
    path,
    execute: (sql) => void guarded(() => sqlite.exec(sql)),
    prepare(sql) {
      const statement = guarded(() => sqlite.prepare<unknown[], Record<string, Column>>(sql));
      return {
        run: (...values) => void guarded(() => statement.run(...values)),
        *rows(...values) {
          try {
            yield* statement.iterate(...values);
          } catch (error) {
            throw fileError(error, path);
          }
        },
      };
    },
    pragma: (source) => guarded(() => sqlite.pragma(source, { simple: true })),
    transaction: (write) => guarded(() => transact.immediate(write)),
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

/** Makes the entries of new directories durable, from `folder` up to `top`. */
function storeEntries(folder: string, top: string): void {
  for (let at = dirname(folder); at.length >= top.length; at = dirname(at)) {
    const opened = openSync(at, "r");
    try {
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
    if (at === top) return;
  }
}
