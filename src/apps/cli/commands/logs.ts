/** `trustplane logs`: what a service of the nodes has logged. */
import { Command } from "commander";
import { connection, count, withConnectionFlags, type Run } from "../flags.ts";
import type { LogsOptions } from "../verbs/logs.ts";

export const logsCommand = (run: Run): Command =>
  withConnectionFlags(new Command("logs"))
    .summary("print what a service of the nodes has logged")
    .description("Prints the log of a service of each node; trustplane service lists the services.")
    .argument("<id>", "the service")
    .option("-f, --follow", "go on, and print every line as it comes", false)
    .option("--tail <lines>", "begin with the last lines; -1 with all that is kept", count, -1)
    .option("-k, --kubernetes", "of a container of Kubernetes, which our nodes have none of", false)
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane logs apid
  $ trustplane logs controller-runtime --tail 20 --follow`,
    )
    .action((id: string, options: LogsOptions, command: Command) =>
      run(async (io) =>
        (await import("../verbs/logs.ts")).logs(io, { id, ...options }, connection(command)),
      ),
    );
