/** Files of a simulated machine, as one of its processes sees them. */
import { CodedError } from "../errors.ts";

/** As the file system of Node.js says it. */
class NoSpaceError extends CodedError {
  readonly code = "ENOSPC";
  readonly syscall = "write";
}

/** Texts by path; each is written whole or not at all. */
export interface Files extends Iterable<[path: string, text: string]> {
  get(path: string): string | undefined;
  /** @throws an error with code `ENOSPC` when the disk is full */
  set(path: string, text: string): void;
  delete(path: string): void;
}

/** What the files of a process stand on. */
export interface ProcessFilesOptions {
  readonly files: Map<string, string>;
  readonly isFull: () => boolean;
  readonly isAlive: () => boolean;
}

/** Files that a dead process cannot write any more, and nobody to a full disk. */
export function processFiles({ files, isFull, isAlive }: ProcessFilesOptions): Files {
  return {
    [Symbol.iterator]: () => files[Symbol.iterator](),
    get: (path) => files.get(path),
    set(path, text) {
      if (!isAlive()) return;
      if (isFull()) throw new NoSpaceError(`ENOSPC: no space left on device, write '${path}'`);
      files.set(path, text);
    },
    delete(path) {
      if (isAlive()) files.delete(path);
    },
  };
}
