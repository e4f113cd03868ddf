/** `trustplane time`: the clocks of the nodes. */
import { Command } from "commander";
import { connection, withConnectionFlags, type Run } from "../flags.ts";
import type { TimeOptions } from "../verbs/time.ts";

export const timeCommand = (run: Run): Command =>
  withConnectionFlags(new Command("time"))
    .summary("print the time of the nodes")
    .description("Prints what time it is on each node, and who keeps its clock.")
    .option("--check <server>", "ask this time server instead, where the node can")
    .addHelpText("after", "\nExamples:\n  $ trustplane time")
    .action((options: TimeOptions, command: Command) =>
      run(async (io) => {
        const { time } = await import("../verbs/time.ts");
        return time(io, options, connection(command));
      }),
    );
