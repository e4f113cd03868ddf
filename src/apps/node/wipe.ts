/**
 * What goes with a node that is reset: what it has published, the context in its talosconfig, and its
 * database. The audit log stays, as do files of others.
 */
import { directories } from "#controllers";
import { CodedError } from "#runtime";
import { readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { dropContext } from "./admin-talosconfig.ts";
import { withdrawFiles } from "./published-files.ts";
import { unmarkReset } from "./reset-marker.ts";

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
  constructor(causes: readonly Error[], { stateDir, pkiDir }: Remains) {
    const reasons = causes.map(({ message }) => message).join("; ");
    super(
      `the node was reset, and not all of it could be taken away: ${reasons}; what is left in ` +
        `${stateDir} and ${pkiDir} is to be removed by hand`,
      { cause: causes[0] },
    );
  }
}

const database = ["", "-wal", "-shm", "-journal"].map((end) => `state.db${end}`);

/** What else holds keys of an administrator: a talosconfig put aside, or one half written. */
const asides = /^talosconfig\.(?:new|damaged(?:-\d+)?)$/;

/**
 * Wipes a node whose store is closed. What cannot be taken away keeps nothing else; the marker of the
 * reset goes last, and not before all has gone.
 *
 * @throws {WipeError} when the file system refuses
 */
export async function wipe(remains: Remains): Promise<void> {
  const { stateDir } = remains;
  const refusals: Error[] = [];
  for (const step of stepsOf(remains))
    await step().catch((error: unknown) => {
      if (!(error instanceof Error) || !("syscall" in error)) throw error;
      refusals.push(error);
    });
  if (refusals.length > 0) throw new WipeError(refusals, remains);
  await unmarkReset(stateDir).catch((error: unknown) => {
    throw new WipeError([error as Error], remains);
  });
}

/** Keys first. */
const stepsOf = ({ stateDir, pkiDir, nodeId, contextName }: Remains): (() => Promise<void>)[] => [
  ...database.map((name) => () => rm(join(stateDir, name), { force: true })),
  ...directoriesIn(stateDir, pkiDir).map((path) => () => withdrawFiles(path, nodeId)),
  async () => {
    if (contextName !== undefined) await dropContext(join(stateDir, "talosconfig"), contextName);
  },
  async () => {
    for (const name of await readdir(stateDir))
      if (asides.test(name)) await rm(join(stateDir, name), { force: true });
  },
];

/** Deepest first; a place that was named for the node is not the node's to remove. */
function directoriesIn(stateDir: string, pkiDir: string): string[] {
  const isOwn = resolve(pkiDir) === resolve(stateDir, "pki");
  return [...Object.keys(directories), ...(isOwn ? [""] : [])]
    .sort((a, b) => b.length - a.length)
    .map((directory) => join(pkiDir, directory));
}
