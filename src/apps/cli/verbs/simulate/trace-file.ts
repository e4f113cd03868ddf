/** Writes a trace as it comes; it may be larger than memory. */
import { closeSync, openSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { fileAccess, FileExistsError } from "../../errors.ts";
import type { Io } from "../../io.ts";

/** A file that lines are added to. */
export interface TraceFile {
  readonly write: (line: string) => void;
  readonly close: () => void;
}

const CHUNK = 1 << 16;

/** @throws {FileExistsError} unless `force`; {@link FileAccessError} */
export function openTrace(io: Io, path: string, force: boolean): TraceFile {
  const file = opened(resolve(io.cwd, path), path, force);
  let waiting = "";
  const flush = () => {
    try {
      writeSync(file, waiting);
    } catch (cause) {
      throw fileAccess("write", path, cause);
    }
    waiting = "";
  };
  return {
    write(line) {
      waiting += `${line}\n`;
      if (waiting.length >= CHUNK) flush();
    },
    close() {
      flush();
      closeSync(file);
    },
  };
}

function opened(path: string, named: string, force: boolean): number {
  try {
    return openSync(path, force ? "w" : "wx", 0o600);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw new FileExistsError(named);
    throw fileAccess("write", named, cause);
  }
}
