/** Files that appear whole or not at all, and never in the place of another. */
import { closeSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { StoreFileError } from "../../errors.ts";
import { makeDurable } from "./durable.ts";
import { fileError } from "./file-error.ts";

/**
 * Claims a name, lets `write` fill an empty file of mode 0600 beside it, and moves that there.
 *
 * @throws {StoreFileError} when there is a file of that name, or its disk is full
 */
export async function writeNewFile(
  file: string,
  write: (partial: string) => Promise<void>,
): Promise<void> {
  const path = resolve(file);
  const partial = `${path}.partial`;
  claim(path);
  try {
    rmSync(partial, { force: true }); // of one who had claimed the name before, and ended
    closeSync(openSync(partial, "wx", 0o600));
    await write(partial);
    makeDurable(partial);
    renameSync(partial, path);
    makeDurable(dirname(path));
  } catch (error) {
    for (const name of [path, partial, `${partial}-journal`, `${partial}-wal`, `${partial}-shm`])
      rmSync(name, { force: true });
    throw fileError(error, path);
  }
}

function claim(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw fileError(error, path);
    throw new StoreFileError(
      "ERR_STORE_EXISTS",
      `there is a file ${path} already, and it is not written over: name another, or move it away`,
      { cause: error },
    );
  }
}
