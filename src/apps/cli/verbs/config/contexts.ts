/** The verbs of `config` that read and change contexts, offline (talos-pki.md §3.6). */
import {
  addTalosContext,
  mergeTalosconfigs,
  type TalosContext,
  type Talosconfig,
} from "#config/talosconfig";
import { ArgumentError, UsageError } from "../../errors.ts";
import { readInput } from "../../files.ts";
import type { Connection } from "../../flags.ts";
import type { Io } from "../../io.ts";
import { formatTable } from "../../output/table.ts";
import {
  chosenContext,
  openOrBegin,
  openTalosconfig,
  saveTalosconfig,
  type TalosconfigFile,
} from "../../talosconfig.ts";

/** How many nodes of a context are listed. */
const NODES_SHOWN_MAX = 3;

/** Lists the contexts. */
export async function contexts(io: Io, flags: Connection): Promise<number> {
  const { config } = await openTalosconfig(io, flags);
  const current = flags.context ?? config.context;
  const rows = Object.keys(config.contexts)
    .sort()
    .map((name) => {
      const { endpoints = [], nodes = [] } = config.contexts[name] ?? {};
      const shown = nodes.slice(0, NODES_SHOWN_MAX).join(",");
      const more = nodes.length > NODES_SHOWN_MAX ? "..." : "";
      return [name === current ? "*" : "", name, endpoints.join(","), shown + more];
    });
  io.stdout.write(formatTable([["CURRENT", "NAME", "ENDPOINTS", "NODES"], ...rows]));
  return 0;
}

/** Makes a context the current one. */
export async function useContext(io: Io, name: string, flags: Connection): Promise<number> {
  const file = await openTalosconfig(io, flags);
  chosenContext(file, { ...flags, context: name });
  await saveTalosconfig(io, file, { ...file.config, context: name });
  return 0;
}

/** Sets the endpoints of the context in use. */
export async function setEndpoints(io: Io, endpoints: readonly string[], flags: Connection) {
  const { checkEndpoints } = await import("../../endpoints.ts"); // the others do without a client
  checkEndpoints(endpoints);
  return change(io, flags, (context) => ({ ...context, endpoints }));
}

/** Sets the nodes of the context in use. */
export async function setNodes(io: Io, nodes: readonly string[], flags: Connection) {
  const { checkNodes } = await import("../../endpoints.ts");
  checkNodes(nodes);
  return change(io, flags, (context) => ({ ...context, nodes }));
}

async function change(
  io: Io,
  flags: Connection,
  recipe: (context: TalosContext) => TalosContext,
): Promise<number> {
  const file = await openTalosconfig(io, flags);
  const { name, context } = chosenContext(file, flags);
  await saveTalosconfig(io, file, withContext(file, name, recipe(context)));
  return 0;
}

const withContext = (
  { config }: TalosconfigFile,
  name: string,
  context: TalosContext,
): Talosconfig => ({ ...config, contexts: { ...config.contexts, [name]: context } });

/** The files that a context is made from. */
export interface ContextFiles {
  readonly ca?: string;
  readonly crt?: string;
  readonly key?: string;
}

/** Adds a context. */
export async function addContext(
  io: Io,
  name: string,
  files: ContextFiles,
  flags: Connection,
): Promise<number> {
  if ((files.crt === undefined) !== (files.key === undefined))
    throw new UsageError("if either the 'crt' or 'key' flag is specified, both are required");
  const file = await openOrBegin(io, flags);
  const read = async (path?: string) => (path === undefined ? undefined : readInput(io, path));
  const [ca, crt, key] = [await read(files.ca), await read(files.crt), await read(files.key)];
  if (crt !== undefined && key !== undefined) await checkPair({ crt, key }, files);
  const context: TalosContext = {
    endpoints: [],
    ...(ca !== undefined && { ca }),
    ...(crt !== undefined && { crt }),
    ...(key !== undefined && { key }),
  };
  await saveTalosconfig(io, file, addTalosContext(file.config, name, context));
  return 0;
}

/** @throws {ArgumentError} when the key is another one's; {@link CodedError} when one is unreadable */
async function checkPair(pair: { crt: string; key: string }, files: ContextFiles): Promise<void> {
  const { readCertificate, sameKey, webCryptoKeys } = await import("#pki");
  const { publicKey } = readCertificate(pair.crt, files.crt);
  const key = await webCryptoKeys().readKey(pair.key, files.key);
  if (!sameKey(publicKey, key.publicKey))
    throw new ArgumentError(
      `${JSON.stringify(files.key)} is not the key of the certificate in ${JSON.stringify(files.crt)}`,
    );
}

/** Takes over the contexts of another talosconfig. */
export async function merge(io: Io, from: string, flags: Connection): Promise<number> {
  const other = await openTalosconfig(io, { talosconfig: from });
  const file = await openOrBegin(io, flags);
  const { config, renamed } = mergeTalosconfigs(file.config, other.config);
  await saveTalosconfig(io, file, config);
  for (const { from: old, to } of renamed)
    io.stdout.write(
      `renamed talosconfig context ${JSON.stringify(old)} -> ${JSON.stringify(to)}\n`,
    );
  if (config.context !== file.config.context)
    io.stderr.write(`the current context is ${JSON.stringify(config.context)} now\n`);
  return 0;
}

/** How contexts are taken away. */
export interface RemoveOptions {
  readonly noconfirm: boolean;
  readonly dryRun: boolean;
}

/** Takes away the contexts that any of the patterns matches, but never the current one. */
export async function removeContexts(
  io: Io,
  patterns: readonly string[],
  { noconfirm, dryRun }: RemoveOptions,
  flags: Connection,
): Promise<number> {
  const file = await openTalosconfig(io, flags);
  const current = flags.context ?? file.config.context;
  const globs = patterns.map(glob);
  const matching = Object.keys(file.config.contexts)
    .sort()
    .filter((name) => globs.some((pattern) => pattern.test(name)));
  if (matching.length === 0)
    throw new ArgumentError(`no context matches ${patterns.join(", ")} in ${file.path}`);
  if (matching.includes(current))
    io.stderr.write(
      `skipping removal of current context ${JSON.stringify(current)}, please change it to ` +
        "another before removing\n",
    );
  const leaving = matching.filter((name) => name !== current);
  for (const name of leaving)
    io.stderr.write(`${dryRun ? "would remove" : "removing"} context ${JSON.stringify(name)}\n`);
  if (dryRun || leaving.length === 0) return 0;
  if (!noconfirm && !(await confirmed(io, leaving))) return 0;
  const staying = Object.entries(file.config.contexts).filter(([name]) => !leaving.includes(name));
  await saveTalosconfig(io, file, { ...file.config, contexts: Object.fromEntries(staying) });
  return 0;
}

/** Asks once; where nobody can answer, the flag is asked for instead. */
async function confirmed(io: Io, names: readonly string[]): Promise<boolean> {
  if (io.stderr.isTTY !== true)
    throw new UsageError("there is no terminal to confirm on: use --noconfirm (-y), or --dry-run");
  io.stderr.write(`remove ${names.map((name) => JSON.stringify(name)).join(", ")}? [y/N]: `);
  return /^y(es)?$/i.test((await io.line()).trim());
}

/** `*` and `?` as in a shell; every other character is itself. */
const glob = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern.replace(/[.*+?^${}()|[\]\\]/g, (c) => ({ "*": ".*", "?": "." })[c] ?? `\\${c}`)}$`,
    "s",
  );
