/** `trustplane member`: the nodes of the cluster. */
import { Command } from "commander";
import { choice, connection, withConnectionFlags, type Run } from "../flags.ts";
import type { ListFormat } from "../output/list.ts";

export const memberCommand = (run: Run): Command =>
  new Command("member")
    .summary("print the members of the cluster, or take one off the record")
    .description(
      "Members are the control planes and the nodes that joined. get members prints what each node knows of " +
        "them; this is what the control plane has on record.",
    )
    .addCommand(listCommand(run))
    .addCommand(removeCommand(run));

const listCommand = (run: Run): Command =>
  withConnectionFlags(new Command("list"))
    .summary("print the members of the cluster")
    .description(
      "Prints the members: the node that is asked (Self), those that report (Heard), those that did not for " +
        "fifteen minutes (Unheard), and those that need not or did not yet (Known).",
    )
    .addOption(
      choice("-o, --output <format>", "how to print", ["table", "yaml", "json"]).default("table"),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  $ trustplane member list\n  $ trustplane member list -o yaml",
    )
    .action(({ output }: { readonly output: ListFormat }, command: Command) =>
      run(async (io) => {
        const { listMembers } = await import("../verbs/member.ts");
        return listMembers(io, output, connection(command));
      }),
    );

const removeCommand = (run: Run): Command =>
  withConnectionFlags(new Command("remove"))
    .summary("take a member off the record, and deny its certificates")
    .description(
      "Takes a member off the record, and denies what it is a client with: it can renew nothing, and its name " +
        "and addresses are free for another. It may join again by a token once it was reset. What it serves " +
        "cannot be taken back: others take it for what it was until that ends, which is told.",
    )
    .argument("<member>", "hostname, address, or id of the node")
    .addHelpText(
      "after",
      "\nExamples:\n  $ trustplane member remove worker-1\n  $ trustplane member remove 192.0.2.7",
    )
    .action((member: string, _: object, command: Command) =>
      run(async (io) => {
        const { removeMember } = await import("../verbs/member.ts");
        return removeMember(io, member, connection(command));
      }),
    );
