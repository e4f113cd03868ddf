/** `trustplane service`: what the services of the nodes do, and what may be done with them. */
import { Command } from "commander";
import { connection, withConnectionFlags, type Run } from "../flags.ts";
import type { ServiceAction } from "../verbs/service.ts";

const ACTIONS: readonly ServiceAction[] = ["start", "stop", "restart", "status"];

export const serviceCommand = (run: Run): Command =>
  withConnectionFlags(new Command("service"))
    .alias("services")
    .summary("print the services of the nodes, or restart one")
    .description(
      "Prints the services of each node; with an ID what has become of that one. apid and " +
        "controller-runtime can be restarted, and none can be stopped.",
    )
    .argument("[id]", "this service only")
    .addArgument(
      new Command()
        .createArgument("[action]", "what to do with it")
        .choices(ACTIONS)
        .default("status"),
    )
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane service
  $ trustplane service apid
  $ trustplane service apid restart`,
    )
    .action((id: string | undefined, action: ServiceAction, _options: unknown, command: Command) =>
      run(async (io) =>
        (await import("../verbs/service.ts")).service(io, { id, action }, connection(command)),
      ),
    );
