/** Files that are there after a loss of power. */
import { closeSync, fsyncSync, openSync } from "node:fs";

/** Makes what a file holds, or which names a directory has, survive a loss of power. */
export function makeDurable(path: string): void {
  const opened = openSync(path, "r");
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}
