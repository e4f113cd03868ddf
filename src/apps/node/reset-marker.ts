/**
 * That a node is being reset, on the disk: a wipe that was cut short, after the cluster was told or the
 * caller was answered, is finished by whoever finds the marker.
 */
import { open, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { StateDirectoryError } from "./state-directory.ts";
import type { Remains } from "./wipe.ts";

const NAME = "reset.json";

const contents = z.object({
  nodeId: z.string(),
  pkiDir: z.string(),
  contextName: z.string().optional(),
});

/** Writes it, so that it outlives a loss of power. */
export async function markReset({ stateDir, pkiDir, ...rest }: Remains): Promise<void> {
  const path = join(stateDir, NAME);
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify({ pkiDir: resolve(pkiDir), ...rest }));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await flush(stateDir);
}

/** The node stays, or nothing of it is left. */
export async function unmarkReset(stateDir: string): Promise<void> {
  for (const end of [".new", ""]) await rm(join(stateDir, `${NAME}${end}`), { force: true });
  await flush(stateDir);
}

/**
 * What is to go; undefined where no reset has begun.
 *
 * @throws {StateDirectoryError} when the marker cannot be read
 */
export async function markedReset(stateDir: string): Promise<Remains | undefined> {
  const path = join(stateDir, NAME);
  try {
    return { stateDir, ...readMarker(await readFile(path, "utf8")) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new StateDirectoryError(
      `this node was to be reset, and ${path} cannot be read: ${String(error)}; remove ${stateDir} by hand`,
      { cause: error },
    );
  }
}

function readMarker(text: string): Omit<Remains, "stateDir"> {
  const { nodeId, pkiDir, contextName } = contents.parse(JSON.parse(text));
  return { nodeId, pkiDir, contextName };
}

async function flush(path: string): Promise<void> {
  const directory = await open(path, "r");
  await directory.sync().finally(() => directory.close());
}
