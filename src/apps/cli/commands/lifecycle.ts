/** `trustplane reboot`, `shutdown` and `reset`: the end of a run of the nodes. */
import { Command } from "commander";
import { choice, connection, durationText, withConnectionFlags, type Run } from "../flags.ts";
import type { RebootOptions, ResetOptions, ShutdownOptions } from "../verbs/lifecycle.ts";

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

export const resetCommand = (run: Run): Command =>
  withWaitFlags(new Command("reset"))
    .summary("have the nodes leave their cluster, and wipe themselves")
    .description(
      "Has each node leave its cluster, and then take away what it is: its keys and certificates, its " +
        "configuration, its talosconfig and its id. Its process exits with status 0. The audit log " +
        "stays. Waits until its services have stopped. What is gone does not come back.",
    )
    .option(
      "--graceful",
      "tell the cluster, and do nothing when it cannot be told or this is its only control plane; " +
        "--graceful=false does without",
      true,
    )
    .option("--reboot", "begin anew, in maintenance: without a configuration", false)
    .addOption(
      choice("--wipe-mode <mode>", "our nodes have no disks: what they are goes, whichever it is", [
        "all",
        "system-disk",
      ]).default("all"),
    )
    .addOption(choice("--system-labels-to-wipe <label>", "likewise", ["STATE"]))
    .addHelpText(
      "after",
      "\nExamples:\n  $ trustplane reset -n 192.0.2.21\n  $ trustplane reset -n 192.0.2.21 --reboot\n" +
        "  $ trustplane reset -n 192.0.2.11 --graceful=false",
    )
    .action((options: ResetOptions, command: Command) =>
      run(async (io) =>
        (await import("../verbs/lifecycle.ts")).reset(io, options, connection(command)),
      ),
    );
