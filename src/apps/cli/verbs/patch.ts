/** `patch machineconfig`: changes the configuration in force; and patches of a file, offline. */
import { applyConfigPatches } from "#config";
import { UsageError } from "../errors.ts";
import { readInput, STREAM, writeOutputs } from "../files.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import {
  type ApplyFlags,
  applyTo,
  fetchConfiguration,
  tellApplied,
} from "../machine-configuration.ts";
import { withNodes } from "../nodes.ts";
import { readPatches } from "../patches.ts";

/** The flags of `patch`. */
export interface PatchOptions extends ApplyFlags {
  readonly patch?: readonly string[];
  readonly patchFile?: string;
}

/** Patches the configuration of each node, each its own. */
export async function patch(
  io: Io,
  options: PatchOptions,
  connection: Connection,
): Promise<number> {
  const { patchFile, ...flags } = options;
  const values = [...(options.patch ?? []), ...(patchFile === undefined ? [] : [`@${patchFile}`])];
  if (values.length === 0) throw new UsageError("either --patch or --patch-file should be defined");
  const patches = await readPatches(io, values);
  const name = "the patched configuration";
  return withNodes(io, connection, async ({ client, names, each, status }) => {
    const answers = await each(async (node) => {
      const before = await fetchConfiguration(client, node);
      const data = applyConfigPatches(before, patches);
      return applyTo(client, node, { data, name, flags });
    });
    tellApplied(io, answers, { several: names.length > 1, name });
    for (const { node } of flags.dryRun ? [] : answers)
      io.stdout.write(`patched MachineConfigs.config.talos.dev/v1alpha1 at the node ${node}\n`);
    return status();
  });
}

/** The flags of `machineconfig patch`. */
export interface PatchFileOptions {
  readonly patch: readonly string[];
  readonly output: string;
}

/** Patches a file; what comes of it is written to another one, or to the standard output. */
export async function patchFile(
  io: Io,
  file: string,
  { patch: values, output }: PatchFileOptions,
  force: boolean,
): Promise<number> {
  const patches = await readPatches(io, values);
  const name = file === STREAM ? "the standard input" : file;
  const content = applyConfigPatches(await readInput(io, file), patches, name);
  await writeOutputs(io, [{ path: output, content }], force);
  return 0;
}
