/** `trustplane health`: waits until all is well. */
import { Command } from "commander";
import { connection, durationText, listed, withConnectionFlags, type Run } from "../flags.ts";
import type { HealthOptions } from "../verbs/health.ts";

export const healthCommand = (run: Run): Command =>
  withConnectionFlags(new Command("health"))
    .summary("wait until all is well with a node")
    .description(
      "Waits until all is well with a node, and says on the standard error what it waits for.",
    )
    .option("--wait-timeout <duration>", "how long to wait", durationText, "20m0s")
    .option("--server", "let the node do it, which is the only way here", true)
    .option("--control-plane-nodes <node>", "the control planes (comma-separated)", listed)
    .option("--worker-nodes <node>", "the workers (comma-separated)", listed)
    .addHelpText("after", "\nExamples:\n  $ trustplane health --wait-timeout 1m")
    .action((options: HealthOptions, command: Command) =>
      run(async (io) => {
        const { health } = await import("../verbs/health.ts");
        return health(io, options, connection(command));
      }),
    );
