/** Finds the talosconfig of this run, and keeps changes to it. */
import { join } from "node:path";
import { readTalosconfig, writeTalosconfig, type Talosconfig } from "#config/talosconfig";
import { ArgumentError, FileAccessError } from "./errors.ts";
import { exists, readInput, replaceFile } from "./files.ts";
import type { Connection } from "./flags.ts";
import type { Io } from "./io.ts";

/** A talosconfig and the file that it came from, or will be written to. */
export interface TalosconfigFile {
  readonly path: string;
  readonly config: Talosconfig;
}

/** There is no talosconfig in any of the places. */
export class TalosconfigNotFoundError extends FileAccessError {}

/** The file that an up-and-running node in this directory writes. */
const LOCAL = "./.trustplane/talosconfig";

const homeFile = ({ home }: Io): string => join(home, ".talos/config");

/** The file that was named, by flag or by variable; it counts whether it exists or not. */
function namedFile({ env }: Io, { talosconfig }: Connection): string | undefined {
  return talosconfig ?? (env.TALOSCONFIG === "" ? undefined : env.TALOSCONFIG);
}

/** The first of the four places that has a talosconfig. */
async function findFile(io: Io, flags: Connection): Promise<string | undefined> {
  const named = namedFile(io, flags);
  if (named !== undefined) return named;
  for (const path of [LOCAL, homeFile(io)]) if (await exists(io, path)) return path;
  return undefined;
}

/**
 * Reads the talosconfig of this run.
 *
 * @throws {TalosconfigNotFoundError} naming the four places and what to do
 */
export async function openTalosconfig(io: Io, flags: Connection): Promise<TalosconfigFile> {
  const path = await findFile(io, flags);
  if (path === undefined)
    throw new TalosconfigNotFoundError(
      "no talosconfig found: there is no flag --talosconfig, the variable TALOSCONFIG is not set, " +
        `and neither ${LOCAL} nor ~/.talos/config exists; start a node here (trustplane up), ` +
        "name the file with --talosconfig, or put one in place (trustplane config merge FILE)",
    );
  return { path, config: readTalosconfig(await readInput(io, path), path) };
}

/** As {@link openTalosconfig}, but one that does not exist yet is empty, and has a place to go. */
export async function openOrBegin(io: Io, flags: Connection): Promise<TalosconfigFile> {
  const path = await findFile(io, flags);
  if (path !== undefined && (await exists(io, path))) return openTalosconfig(io, flags);
  return { path: path ?? homeFile(io), config: { context: "", contexts: {} } };
}

/** Writes a talosconfig back: whole, for its owner only. */
export async function saveTalosconfig(io: Io, { path }: TalosconfigFile, config: Talosconfig) {
  await replaceFile(io, { path, content: writeTalosconfig(config) });
}

/**
 * The context of this run: that of `--context`, else the current one.
 *
 * @throws {ArgumentError} when there is none of that name
 */
export function chosenContext({ path, config }: TalosconfigFile, flags: Connection) {
  const name = flags.context ?? config.context;
  const context = Object.hasOwn(config.contexts, name) ? config.contexts[name] : undefined;
  if (context === undefined)
    throw new ArgumentError(
      name === ""
        ? `no context is set in ${path}: choose one with trustplane config context NAME`
        : `context ${JSON.stringify(name)} is not defined in ${path}`,
      { hint: "trustplane config contexts lists them" },
    );
  return { name, context };
}
