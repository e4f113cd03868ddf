/** `trustplane apply-config`: a new machine configuration for running nodes. */
import { Command } from "commander";
import { connection, repeated, withInsecureFlags, type Run } from "../flags.ts";
import { withApplyFlags } from "./patch.ts";
import type { ApplyConfigOptions } from "../verbs/apply-config.ts";

export const applyConfigCommand = (run: Run): Command =>
  withApplyFlags(withInsecureFlags(new Command("apply-config").alias("apply")))
    .summary("give nodes a new machine configuration")
    .description("Gives each node a new machine configuration; a refused one changes nothing.")
    .requiredOption("-f, --file <file>", "the machine configuration; - is the standard input")
    .option(
      "-p, --config-patch <patch>",
      "applied before it is sent: @FILE or the patch itself; may be repeated",
      repeated,
    )
    .option("--strict", "treat warnings of the node's checks as errors, and change nothing", false)
    .addHelpText("after", "\nExamples:\n  $ trustplane apply-config -f controlplane.yaml")
    .action((options: ApplyConfigOptions, command: Command) =>
      run(async (io) => {
        const { applyConfig } = await import("../verbs/apply-config.ts");
        return applyConfig(io, options, connection(command));
      }),
    );
