/** `apply-config`: hands each node a machine configuration, verbatim (talosctl-wire.md §2.4). */
import { readInput } from "../files.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";
import { warn } from "../terminal.ts";

/** The flags of `apply-config`. */
export interface ApplyConfigOptions {
  readonly file: string;
  readonly mode: "auto" | "no-reboot";
  readonly dryRun: boolean;
}

/** Applies the configuration; what the nodes say about it goes to stderr. */
export async function applyConfig(
  io: Io,
  { file, mode, dryRun }: ApplyConfigOptions,
  flags: Connection,
): Promise<number> {
  const data = await readInput(io, file);
  return withNodes(io, flags, async ({ client, names, each, status }) => {
    const answers = await each((node) =>
      client.applyConfiguration({ data, mode, dryRun }, { node }),
    );
    for (const { node, answer } of answers) {
      const place = names.length > 1 ? `${node}: ` : "";
      warn(
        io,
        answer.warnings.map((warning) => place + warning),
      );
      if (answer.modeDetails !== "") io.stderr.write(`${place}${answer.modeDetails.trimEnd()}\n`);
    }
    return status();
  });
}
