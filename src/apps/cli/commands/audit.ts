/** `trustplane audit`: the record of who did what, in a node's state directory. */
import { Command, InvalidArgumentError } from "commander";
import { choice, type Run } from "../flags.ts";
import type { TailOptions, VerifyOptions } from "../verbs/audit.ts";

const STATE_DIR = ["--state-dir <dir>", "of the node", "./.trustplane"] as const;

export const auditCommand = (run: Run): Command =>
  new Command("audit")
    .summary("read and verify a node's audit log")
    .description(
      "Reads the audit log in the state directory of a node: each call that changed something, asked for " +
        "a secret or was refused. It works while the node runs, and talks to nobody.",
    )
    .addCommand(verifyCommand(run))
    .addCommand(tailCommand(run));

const verifyCommand = (run: Run): Command =>
  new Command("verify")
    .summary("check that no line was changed, left out or added")
    .description(
      "Checks the chain of hashes from the first line to the last. That lines are missing at the end only " +
        "shows against a head that was written down elsewhere.",
    )
    .option(...STATE_DIR)
    .option("--expect <head>", "a head that verify printed before: NUMBER:HASH", headText)
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane audit verify
  $ trustplane audit verify --state-dir /var/lib/trustplane`,
    )
    .action((options: VerifyOptions) =>
      run(async (io) => (await import("../verbs/audit.ts")).verify(io, options)),
    );

const tailCommand = (run: Run): Command =>
  new Command("tail")
    .summary("print the last lines")
    .description("Prints the last lines of the audit log.")
    .option(...STATE_DIR)
    .option("-n, --lines <number>", "how many; -1 is all", lineCount, 10)
    .addOption(choice("-o, --output <format>", "how to print", ["table", "json"]).default("table"))
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane audit tail
  $ trustplane audit tail -n 100 -o json`,
    )
    .action((options: TailOptions) =>
      run(async (io) => (await import("../verbs/audit.ts")).tail(io, options)),
    );

function headText(value: string): string {
  if (!/^\d+:[0-9a-f]{64}$/.test(value))
    throw new InvalidArgumentError("Not a head as verify prints it, NUMBER:HASH.");
  return value;
}

function lineCount(value: string): number {
  if (!/^(-1|\d{1,9})$/.test(value)) throw new InvalidArgumentError("Not a number of lines.");
  return Number(value);
}
