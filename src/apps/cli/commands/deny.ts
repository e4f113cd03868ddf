/** `trustplane deny` and `undeny`: client certificates that are turned away. */
import { Command } from "commander";
import { connection, withConnectionFlags, type Run } from "../flags.ts";

interface DenyOptions {
  readonly certificate?: string;
  readonly reason: string;
}

const FINGERPRINT = "SHA-256 of the certificate in hex, as the log and openssl print it";

export const denyCommand = (run: Run): Command =>
  withConnectionFlags(new Command("deny"))
    .summary("turn a client certificate away")
    .description(
      "Turns a client certificate away from now on, whatever its authority; its connections end within 30 " +
        "seconds. The nodes of -n are told, and keep it over a restart. deny list shows what is denied.",
    )
    .argument("[fingerprint]", FINGERPRINT)
    .option("--certificate <file>", "the certificate itself, in PEM, instead")
    .option("--reason <text>", "for those who look at the list", "")
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane deny --certificate lost.crt --reason "the laptop was stolen"
  $ trustplane deny list`,
    )
    .action((fingerprint: string | undefined, options: DenyOptions, command: Command) =>
      run(async (io) => {
        const { deny } = await import("../verbs/deny.ts");
        return deny(io, { fingerprint, ...options }, connection(command));
      }),
    )
    .addCommand(listCommand(run));

const listCommand = (run: Run): Command =>
  withConnectionFlags(new Command("list"))
    .summary("print the client certificates that are denied")
    .description("Prints the client certificates that the nodes turn away.")
    .action((_: object, command: Command) =>
      run(async (io) => (await import("../verbs/deny.ts")).denyList(io, connection(command))),
    );

export const undenyCommand = (run: Run): Command =>
  withConnectionFlags(new Command("undeny"))
    .summary("let a denied client certificate in again")
    .description("Lets a client certificate in again that was denied.")
    .argument("[fingerprint]", FINGERPRINT)
    .option("--certificate <file>", "the certificate itself, in PEM, instead")
    .action(
      (fingerprint: string | undefined, options: { certificate?: string }, command: Command) =>
        run(async (io) => {
          const { undeny } = await import("../verbs/deny.ts");
          return undeny(io, { fingerprint, ...options }, connection(command));
        }),
    );
