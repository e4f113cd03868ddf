/** What goes wrong with a database file, in our codes. */
import { StoreFileError } from "../../errors.ts";

type Code = StoreFileError["code"];

const problems: readonly (readonly [pattern: RegExp, code: Code, problem: string])[] = [
  [
    /^SQLITE_(BUSY|LOCKED)/,
    "ERR_STORE_IN_USE",
    "is in use: stop the process that has it open, or name another file",
  ],
  [
    /^(SQLITE_FULL|SQLITE_IOERR_WRITE|ENOSPC|EDQUOT|EFBIG)$/,
    "ERR_STORE_FULL",
    "cannot be written, the disk is full: make room and try again",
  ],
  [
    /^SQLITE_NOTADB/,
    "ERR_STORE_DAMAGED",
    "is damaged or no database at all: move it away, and restore a backup to its place",
  ],
  [
    /^SQLITE_CORRUPT/,
    "ERR_STORE_DAMAGED",
    "is damaged: move it away, and restore a backup to its place",
  ],
  [/^(SQLITE_IOERR|EIO$)/, "ERR_STORE_DAMAGED", "cannot be read or written: check the disk"],
];

/** Translates what SQLite and the file system throw; anything else is returned as it is. */
export function fileError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string")
    return error;
  const { code } = error;
  const known = problems.find(([pattern]) => pattern.test(code));
  if (known === undefined) return code.startsWith("SQLITE_") ? named(error, path) : error;
  return new StoreFileError(known[1], `the store ${path} ${known[2]} (${error.message})`, {
    cause: error,
  });
}

/** SQLite does not say which file it could not open. */
const named = (error: Error, path: string): Error =>
  new Error(`the store ${path} cannot be used: ${error.message}`, { cause: error });
