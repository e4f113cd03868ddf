/** The tables of a store, and how older ones become them. */
import { StoreFileError } from "../../errors.ts";
import type { Database } from "./database.ts";

/** Marks a database as ours: "TPLN". */
export const APPLICATION_ID = 0x54504c4e;

/** One for each schema version, in order; what has been released stays as it is. */
const migrations: readonly string[] = [
  `CREATE TABLE store (cookie BLOB NOT NULL) STRICT;
   CREATE TABLE resources (
     namespace TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
     version INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
     phase TEXT NOT NULL, owner TEXT NOT NULL,
     labels TEXT NOT NULL, annotations TEXT NOT NULL, finalizers TEXT NOT NULL,
     spec TEXT NOT NULL,
     PRIMARY KEY (namespace, type, id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE events (
     position INTEGER PRIMARY KEY,
     namespace TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
     event TEXT NOT NULL, before TEXT, after TEXT
   ) STRICT;`,
  `CREATE TABLE damaged (
     namespace TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
     problem TEXT NOT NULL, contents TEXT NOT NULL,
     PRIMARY KEY (namespace, type, id, contents)
   ) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE resources ADD COLUMN schema_version INTEGER NOT NULL DEFAULT 1;
   ALTER TABLE events ADD COLUMN written INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE events ADD COLUMN schema_version INTEGER NOT NULL DEFAULT 1;`,
];

/** The newest version that this code knows. */
export const SCHEMA_VERSION = migrations.length;

/**
 * Takes the lock of the file for as long as it is open, and brings its tables up to date.
 *
 * @throws {StoreFileError} when the file is in use, damaged, foreign or newer than this code
 */
export function prepareSchema(database: Database, newCookie: () => Uint8Array): void {
  database.pragma("locking_mode = EXCLUSIVE");
  const version = checkVersion(database); // before anything is written to a file of others
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.transaction(() => {
    for (const migration of migrations.slice(version)) database.execute(migration);
    if (version === 0) database.prepare("INSERT INTO store VALUES (?)").run(newCookie());
    // Written even when nothing is new: the first write takes the lock.
    database.execute(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.execute(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  });
  checkHealth(database, "quick_check");
}

/** @throws {StoreFileError} when something in the file is not as it has to be */
export function checkHealth(database: Database, check: "quick_check" | "integrity_check"): void {
  const health = database.pragma(`${check}(1)`);
  if (health !== "ok")
    throw new StoreFileError(
      "ERR_STORE_DAMAGED",
      `the store ${database.path} is damaged: move it away, and restore a backup to its place ` +
        `(${String(health)})`,
    );
}

/**
 * The version of the tables; 0 when there are none yet.
 *
 * @throws {StoreFileError} when the file is foreign or newer than this code
 */
export function checkVersion(database: Database): number {
  const application = Number(database.pragma("application_id"));
  const version = Number(database.pragma("user_version"));
  const [count] = database.prepare("SELECT count(*) AS tables FROM sqlite_schema").rows();
  const isNew = application === 0 && version === 0 && count?.tables === 0;
  if (!isNew && application !== APPLICATION_ID)
    throw new StoreFileError(
      "ERR_STORE_VERSION",
      `${database.path} is a database of another program (application id ${hex(application)}, ` +
        `not ${hex(APPLICATION_ID)}): name another file`,
    );
  if (version > SCHEMA_VERSION)
    throw new StoreFileError(
      "ERR_STORE_VERSION",
      `the store ${database.path} has schema version ${version}, this program knows versions up ` +
        `to ${SCHEMA_VERSION}: use the newer program that wrote it`,
    );
  return version;
}

const hex = (id: number) => `0x${(id >>> 0).toString(16).padStart(8, "0")}`;
