/** `trustplane support`: what those who help want to see, in one file. */
import { Command } from "commander";
import { connection, filePath, forced, withConnectionFlags, type Run } from "../flags.ts";
import type { SupportOptions } from "../verbs/support.ts";

export const supportCommand = (run: Run): Command =>
  withConnectionFlags(new Command("support"))
    .summary("collect what those who help want to see")
    .description(
      "Collects versions, services, logs, the graph of the controllers and all resources of each node " +
        "in a zip file. Of sensitive resources it has the metadata only.",
    )
    .option("-O, --output <file>", "the file to write", filePath, "support.zip")
    .option("-f, --force", "replace a file of that name", false)
    .addHelpText("after", "\nExamples:\n  $ trustplane support -O support.zip")
    .action((options: SupportOptions, command: Command) =>
      run(async (io) => {
        const { support } = await import("../verbs/support.ts");
        return support(io, { ...options, force: forced(command) }, connection(command));
      }),
    );
