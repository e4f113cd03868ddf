/**
 * What goes with a node that is reset: what it has published, the context in its talosconfig, and its
 * database. The audit log stays, as do files of others.
 */
import { directories } from "#controllers";
import { CodedError } from "#runtime";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { dropContext } from "./admin-talosconfig.ts";
import { withdrawFiles } from "./published-files.ts";

/** What of a node is on the disk. */
export interface Remains {
  readonly stateDir: string;
  readonly pkiDir: string;
  /** The id of the node. */
  readonly nodeId: string;
  /** Of its administrator; undefined where it writes no talosconfig. */
  readonly contextName: string | undefined;
}

/** Something of a node that was reset could not be taken away. */
export class WipeError extends CodedError {
  readonly code = "ERR_WIPE";
  constructor(cause: Error, { stateDir, pkiDir }: Remains) {
    super(
      `the node was reset, and not all of it could be taken away: ${cause.message}; what is left in ` +
        `${stateDir} and ${pkiDir} is to be removed by hand`,
      { cause },
    );
  }
}

/** The database last, and what belongs to it before it: until then a start finds out whose the rest is. */
const database = ["-journal", "-wal", "-shm", ""].map((end) => `state.db${end}`);

/**
 * Wipes a node whose store is closed.
 *
 * @throws {WipeError} when the file system refuses
 */
export async function wipe(remains: Remains): Promise<void> {
  const { stateDir, pkiDir, nodeId, contextName } = remains;
  try {
    const deepestFirst = [...Object.keys(directories), ""].sort((a, b) => b.length - a.length);
    for (const directory of deepestFirst) await withdrawFiles(join(pkiDir, directory), nodeId);
    if (contextName !== undefined) await dropContext(join(stateDir, "talosconfig"), contextName);
    for (const name of database) await rm(join(stateDir, name), { force: true });
    const directory = await open(stateDir, "r");
    await directory.sync().finally(() => directory.close());
  } catch (error) {
    if (!(error instanceof Error) || !("syscall" in error)) throw error;
    throw new WipeError(error, remains);
  }
}
