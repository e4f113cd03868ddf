/** `trustplane reboot` and `shutdown`: the end of a run of the nodes. */
import { Command } from "commander";
import { choice, connection, durationText, withConnectionFlags, type Run } from "../flags.ts";
import type { RebootOptions, ShutdownOptions } from "../verbs/lifecycle.ts";

/** The flags of waiting. */
const withWaitFlags = (command: Command): Command =>
  withConnectionFlags(command)
    .option("--wait", "wait until it is done, and tell how it goes", true)
    .option("--timeout <duration>", "how long to wait at most", durationText, "30m0s");

export const rebootCommand = (run: Run): Command =>
  withWaitFlags(new Command("reboot"))
    .summary("start the nodes anew")
    .description(
      "Has each node start itself anew, in the same process and with its state; the machine below it " +
        "goes on. Waits until the node is ready again.",
    )
    .addOption(
      choice("-m, --mode <mode>", "how a machine is rebooted; our nodes have none below them", [
        "default",
        "powercycle",
        "force",
      ]).default("default"),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  $ trustplane reboot\n  $ trustplane reboot -n 192.0.2.11 --wait=false",
    )
    .action((options: RebootOptions, command: Command) =>
      run(async (io) =>
        (await import("../verbs/lifecycle.ts")).reboot(io, options, connection(command)),
      ),
    );

export const shutdownCommand = (run: Run): Command =>
  withWaitFlags(new Command("shutdown"))
    .summary("end the nodes")
    .description(
      "Has each node end: its process exits with status 0. Waits until its services have stopped.",
    )
    .option("--force", "without draining it first, which our nodes never do", false)
    .addHelpText(
      "after",
      "\nExamples:\n  $ trustplane shutdown\n  $ trustplane shutdown -n 192.0.2.11 --wait=false",
    )
    .action((options: ShutdownOptions, command: Command) =>
      run(async (io) =>
        (await import("../verbs/lifecycle.ts")).shutdown(io, options, connection(command)),
      ),
    );
