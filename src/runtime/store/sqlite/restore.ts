/** A store from a backup. */
import { existsSync, statSync } from "node:fs";
import { chmod, copyFile, mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { StoreFileError } from "../../errors.ts";
import { systemRandom, type Random } from "../../random.ts";
import { newCookie } from "../history.ts";
import { openDatabase } from "./database.ts";
import { writeNewFile } from "./new-file.ts";
import { checkHealth, checkVersion } from "./schema.ts";

/** Options of {@link restoreSqliteStore}. */
export interface RestoreOptions {
  /** A backup, or the file of a store that was closed. It stays as it is. */
  readonly from: string;
  /** The file of the new store; its directory is made when it is missing, mode 0700. */
  readonly to: string;
  /** Tells the bookmarks of stores apart. Default: the system's. */
  readonly random?: Random;
}

/**
 * Makes a store of a backup. Bookmarks of the store that the backup is of are refused by the new one:
 * it may have had events since that the new one will never have.
 *
 * @throws {StoreFileError} when the backup is damaged, no store, of a newer version or a store in
 * use, or when there is something in the place of the new one
 */
export async function restoreSqliteStore({
  from,
  to,
  random = systemRandom,
}: RestoreOptions): Promise<void> {
  const [source, target] = [resolve(from), resolve(to)];
  checkClosed(source);
  checkFree(target);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await writeNewFile(target, async (partial) => {
    await copyFile(source, partial);
    await chmod(partial, 0o600);
    const database = await openDatabase(partial, source);
    try {
      if (checkVersion(database) === 0) throw noStore(source);
      checkHealth(database, "integrity_check");
      database.pragma("journal_mode = DELETE"); // nothing stays beside the file
      database.prepare("UPDATE store SET cookie = ?").run(newCookie(random));
    } finally {
      database.close();
    }
  });
}

/** What a store has committed may stand beside its file, and a copy of the file alone be wrong. */
function checkClosed(path: string): void {
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
  throw new StoreFileError(
    "ERR_STORE_IN_USE",
    `${path} is a store that is in use or was not closed, not a backup: make one of it`,
  );
}

/** What is left beside a file that is gone would be taken for a part of the new one. */
function checkFree(path: string): void {
  const left = [path, `${path}-wal`, `${path}-journal`].find((name) => existsSync(name));
  if (left === undefined) return;
  throw new StoreFileError(
    "ERR_STORE_EXISTS",
    `there is a file ${left} already, and it is not written over: name another, or move it away`,
  );
}

const noStore = (path: string): StoreFileError =>
  new StoreFileError("ERR_STORE_VERSION", `${path} is empty: it is no backup of a store`);
