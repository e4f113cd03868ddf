/** `apply-config`: hands each node a machine configuration, verbatim unless it is patched (talosctl-wire.md §2.4). */
import { applyConfigPatches } from "#config";
import { readInput, STREAM } from "../files.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import {
  type ApplyFlags,
  applyTo,
  ConfigurationNotTakenError,
  nameFile,
  tellApplied,
} from "../machine-configuration.ts";
import { withNodes } from "../nodes.ts";
import { readPatches } from "../patches.ts";

/** The flags of `apply-config`. */
export interface ApplyConfigOptions extends ApplyFlags {
  readonly file: string;
  readonly configPatch?: readonly string[];
  /** A node whose checks have warnings keeps what it has. */
  readonly strict: boolean;
}

/** Applies the configuration; what the nodes say about it goes to stderr. */
export async function applyConfig(
  io: Io,
  { file, configPatch = [], strict, ...flags }: ApplyConfigOptions,
  connection: Connection,
): Promise<number> {
  const name = file === STREAM ? "the standard input" : file;
  const patches = await readPatches(io, configPatch);
  const text = await readInput(io, file);
  const data = patches.length === 0 ? text : applyConfigPatches(text, patches, name);
  return withNodes(io, connection, async ({ client, names, each, status }) => {
    const answers = await each(async (node) => {
      if (strict) {
        const tried = await applyTo(client, node, {
          data,
          name,
          flags: { ...flags, dryRun: true },
        });
        refuseWarned(tried.warnings.map((warning) => nameFile(warning, name)));
      }
      return applyTo(client, node, { data, name, flags });
    });
    tellApplied(io, answers, { several: names.length > 1, name });
    return status();
  });
}

/** @throws {ConfigurationNotTakenError} naming every warning */
function refuseWarned(warnings: readonly string[]): void {
  if (warnings.length === 0) return;
  const number = warnings.length === 1 ? "1 warning" : `${warnings.length} warnings`;
  throw new ConfigurationNotTakenError(
    [`${number}, and --strict:`, ...warnings.map((warning) => `\t* ${warning}`)].join("\n"),
  );
}
