/** `trustplane events`: what happens on the nodes. */
import { Command } from "commander";
import {
  choice,
  connection,
  count,
  durationText,
  withConnectionFlags,
  type Run,
} from "../flags.ts";
import type { EventsOptions } from "../verbs/events.ts";

export const eventsCommand = (run: Run): Command =>
  withConnectionFlags(new Command("events"))
    .summary("print what happens on the nodes, as it happens")
    .description(
      "Prints the events of each node until it is interrupted. It begins with what happens from now " +
        "on, unless one of --tail, --duration and --since lets it look back.",
    )
    .option("--tail <events>", "begin with the last events; -1 with all that are kept", count)
    .option("--duration <duration>", "begin with what happened in this time", durationText)
    .option("--since <id>", "begin after the event with this ID")
    .option("--actor-id <id>", "only what came of this call, by the ID that it was answered with")
    .addOption(choice("-o, --output <format>", "how to print", ["table", "json"]).default("table"))
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane events
  $ trustplane events --tail -1
  $ trustplane events --duration 10m -o json`,
    )
    .action((options: EventsOptions, command: Command) =>
      run(async (io) =>
        (await import("../verbs/events.ts")).events(io, options, connection(command)),
      ),
    );
