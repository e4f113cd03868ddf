/** `trustplane policy`: what may be issued. */
import { Command } from "commander";
import { connection, withConnectionFlags, type Run } from "../flags.ts";
import { FAILURE, OK, REFUSED } from "../status.ts";

export const policyCommand = (run: Run): Command =>
  new Command("policy")
    .summary("show, replace and explain what may be issued")
    .description(
      "Every certificate is held against one policy before it leaves the node: names, addresses, usages, life " +
        "and keys, by the profile that it is issued as.",
    )
    .addCommand(showCommand(run))
    .addCommand(applyCommand(run))
    .addCommand(whyCommand(run));

const showCommand = (run: Run): Command =>
  withConnectionFlags(new Command("show"))
    .summary("print the policy in force")
    .description(
      "Prints the whole policy in force, as policy apply takes it: what was left out is there.",
    )
    .option(
      "--default",
      "print the default policy of this version instead; no node is asked",
      false,
    )
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane policy show --default
  $ trustplane policy show > policy.yaml`,
    )
    .action((options: { readonly default: boolean }, command: Command) =>
      run(async (io) => {
        const { showPolicy } = await import("../verbs/policy.ts");
        return showPolicy(io, options, connection(command));
      }),
    );

interface ApplyOptions {
  readonly file: string;
  readonly dryRun: boolean;
}

const applyCommand = (run: Run): Command =>
  withConnectionFlags(new Command("apply"))
    .summary("replace the policy in force")
    .description(
      "Puts a policy in force. A profile that it leaves out, and a rule that a profile leaves out, is as in " +
        "the default policy. What is held and no longer allowed stays until its renewal is due, which is then " +
        "refused; the answer names it.",
    )
    .requiredOption("-f, --file <file>", "the policy in YAML; - is the standard input")
    .option("--dry-run", "say what would be refused, and change nothing", false)
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane policy apply -f policy.yaml --dry-run
  $ trustplane policy apply -f policy.yaml`,
    )
    .action((options: ApplyOptions, command: Command) =>
      run(async (io) => {
        const { applyPolicy } = await import("../verbs/policy.ts");
        return applyPolicy(io, options, connection(command));
      }),
    );

interface WhyOptions {
  readonly profile?: string;
  readonly policy?: string;
  readonly default: boolean;
}

const whyCommand = (run: Run): Command =>
  withConnectionFlags(new Command("why"))
    .summary("explain whether a certificate may be issued")
    .description(
      "Says for each rule of the policy in force whether it allows a certificate, or what a certificate " +
        "request asks for.",
    )
    .argument("<file>", "the certificate or request in PEM; - is the standard input")
    .option(
      "--profile <name>",
      "what it is issued as; default: nodeServer for a request, and for a certificate the profile that it is " +
        "nearest to",
    )
    .option("--policy <file>", "hold it against this policy; no node is asked")
    .option("--default", "hold it against the default policy; no node is asked", false)
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane policy why w1.csr
  $ trustplane policy why lost.crt --profile talosClient --policy policy.yaml

Exit status: ${OK} it is allowed; ${REFUSED} it is refused; ${FAILURE} neither could be told.`,
    )
    .action((file: string, options: WhyOptions, command: Command) =>
      run(async (io) => {
        const { policyWhy } = await import("../verbs/policy-why.ts");
        return policyWhy(io, { file, ...options }, connection(command));
      }),
    );
