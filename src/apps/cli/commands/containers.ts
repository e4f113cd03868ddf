/** `trustplane containers`: what runs in containers, which is nothing here. */
import { Command } from "commander";
import { connection, withConnectionFlags, type Run } from "../flags.ts";

export const containersCommand = (run: Run): Command =>
  withConnectionFlags(new Command("containers").alias("c"))
    .summary("list the containers of the nodes")
    .description("Lists the containers of each node; Trustplane's own nodes have none.")
    .addHelpText("after", "\nExamples:\n  $ trustplane containers")
    .action((_: object, command: Command) =>
      run(async (io) => {
        const { containers } = await import("../verbs/containers.ts");
        return containers(io, connection(command));
      }),
    );
