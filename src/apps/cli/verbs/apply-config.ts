/** `apply-config`: hands each node a machine configuration, verbatim (talosctl-wire.md §2.4). */
import { CodedError } from "#runtime";
import { CallFailedError } from "../../client/index.ts";
import { readInput, STREAM } from "../files.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";
import { warn } from "../terminal.ts";

/** The flags of `apply-config`. */
export interface ApplyConfigOptions {
  readonly file: string;
  readonly mode: "auto" | "no-reboot";
  readonly dryRun: boolean;
  /** A node whose checks have warnings keeps what it has. */
  readonly strict: boolean;
}

/** A node did not take the configuration. */
export class ConfigurationNotTakenError extends CodedError {
  readonly code = "ERR_CONFIGURATION_NOT_TAKEN";
}

/** Applies the configuration; what the nodes say about it goes to stderr. */
export async function applyConfig(
  io: Io,
  { file, mode, dryRun, strict }: ApplyConfigOptions,
  flags: Connection,
): Promise<number> {
  const data = await readInput(io, file);
  const named = (text: string) => nameFile(text, file === STREAM ? "the standard input" : file);
  return withNodes(io, flags, async ({ client, names, each, status }) => {
    const answers = await each(async (node) => {
      try {
        if (strict) {
          const tried = await client.applyConfiguration({ data, mode, dryRun: true }, { node });
          refuseWarned(tried.warnings.map(named));
        }
        return await client.applyConfiguration({ data, mode, dryRun }, { node });
      } catch (error) {
        if (!(error instanceof CallFailedError)) throw error;
        throw new ConfigurationNotTakenError(named(error.message), { cause: error });
      }
    });
    for (const { node, answer } of answers) {
      const place = names.length > 1 ? `${node}: ` : "";
      warn(
        io,
        answer.warnings.map((warning) => place + named(warning)),
      );
      if (answer.modeDetails !== "") io.stderr.write(`${place}${answer.modeDetails.trimEnd()}\n`);
    }
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

/** A node does not know what the file is called: it says `the configuration:LINE: …`. */
const nameFile = (text: string, file: string): string =>
  text.replace(/(^|[\s=])the configuration:(?=\d| )/g, (_, before: string) => `${before}${file}:`);
