/** `trustplane version`: of this program and of the nodes. */
import { Command } from "commander";
import { connection, withInsecureFlags, type Run } from "../flags.ts";
import type { VersionOptions } from "../verbs/version.ts";

export const versionCommand = (run: Run): Command =>
  withInsecureFlags(new Command("version"))
    .summary("print the version of this program and of the nodes")
    .description("Prints the version of this program, then of what runs on each node.")
    .option("--client", "this program only; asks nobody", false)
    .option("--short", "print less", false)
    .addHelpText("after", "\nExamples:\n  $ trustplane version\n  $ trustplane version --client")
    .action((options: VersionOptions, command: Command) =>
      run(async (io) => {
        const { version } = await import("../verbs/version.ts");
        return version(io, options, connection(command));
      }),
    );
