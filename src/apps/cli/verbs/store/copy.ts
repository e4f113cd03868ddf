/** `store backup` and `store restore`: copies of a store that nobody has open. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { openSqliteStore, restoreSqliteStore } from "#runtime/store";
import { FileAccessError, fileAccess } from "../../errors.ts";
import type { Io } from "../../io.ts";

/** Copies a store. */
export async function backup(io: Io, file: string, to: string): Promise<number> {
  const path = resolve(io.cwd, file);
  checkFile(path); // else an empty store would be made of it
  await using store = await openSqliteStore({ path });
  await store.backup(resolve(io.cwd, to));
  io.stdout.write(`${file} is copied to ${to}\n`);
  return 0;
}

/** Makes a store of a copy. */
export async function restore(io: Io, from: string, file: string): Promise<number> {
  const copy = resolve(io.cwd, from);
  checkFile(copy);
  await restoreSqliteStore({ from: copy, to: resolve(io.cwd, file) });
  io.stdout.write(`${file} is restored from ${from}\n`);
  return 0;
}

function checkFile(path: string): void {
  let found;
  try {
    found = statSync(path);
  } catch (cause) {
    throw fileAccess("read", path, cause);
  }
  if (!found.isFile())
    throw new FileAccessError(`cannot read ${JSON.stringify(path)}: it is no file`);
}
