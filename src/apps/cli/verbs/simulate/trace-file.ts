/** Writes a trace as it comes; it may be larger than memory. */
import { closeSync, openSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { fileAccess, type FileAccessError, FileExistsError } from "../../errors.ts";
import type { Io } from "../../io.ts";

/** A file that lines are added to. */
export interface TraceFile {
  /** @throws {FileAccessError} */
  readonly write: (line: string) => void;
  /** @throws {FileAccessError} when any of the lines is not in the file */
  readonly close: () => void;
}

const CHUNK = 1 << 16;

/** @throws {FileExistsError} unless `force`; {@link FileAccessError} */
export function openTrace(io: Io, path: string, force: boolean): TraceFile {
  const file = opened(resolve(io.cwd, path), path, force);
  let waiting = "";
  let failure: FileAccessError | undefined;
  const flush = () => {
    try {
      if (failure === undefined) writeAll(file, Buffer.from(waiting));
    } catch (cause) {
      failure = fileAccess("write", path, cause);
    }
    waiting = "";
    if (failure !== undefined) throw failure;
  };
  return {
    write(line) {
      waiting += `${line}\n`;
      if (waiting.length >= CHUNK) flush();
    },
    close() {
      try {
        flush();
      } finally {
        closeSync(file);
      }
    },
  };
}

/** A pipe, or a disk that is nearly full, takes a part at a time. */
function writeAll(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
}

function opened(path: string, named: string, force: boolean): number {
  try {
    return openSync(path, force ? "w" : "wx", 0o600);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw new FileExistsError(named);
    throw fileAccess("write", named, cause);
  }
}
