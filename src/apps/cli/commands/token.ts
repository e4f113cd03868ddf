/** `trustplane token`: what nodes join with. */
import { Command } from "commander";
import {
  choice,
  connection,
  count,
  durationText,
  repeated,
  withConnectionFlags,
  type Run,
} from "../flags.ts";
import type { ListFormat } from "../output/list.ts";
import type { TokenOptions } from "../verbs/token.ts";

export const tokenCommand = (run: Run): Command =>
  new Command("token")
    .summary("make, list and revoke tokens that nodes join with")
    .description(
      "A join token lets nodes in beside machine.token, which all nodes of a cluster share. Each has an id, " +
        "which may be told: what stands before its dot. The cluster keeps a hash of the whole.",
    )
    .addCommand(createCommand(run))
    .addCommand(listCommand(run))
    .addCommand(revokeCommand(run));

const createCommand = (run: Run): Command =>
  withConnectionFlags(new Command("create"))
    .summary("make a token, and print it this once")
    .description(
      "Makes a join token and prints it alone, so that $(trustplane token create) is one. It lets one node in " +
        "within a day, unless something else is said: a use is spent by the first certificate of a node, and " +
        "not by its renewals. It takes the place of machine.token in the configuration of a node that joins.",
    )
    .option("--uses <count>", "how many nodes may join with it; 0: any number", count, 1)
    .option(
      "--ttl <duration>",
      "how long it is good for, as 24h; 0: it has no end",
      lifetime,
      "24h",
    )
    .option(
      "--name <pattern>",
      "nodes may have this DNS name only, those of machine.certSANs too; *.example.com for any one label (repeatable)",
      repeated,
    )
    .option(
      "--address <cidr>",
      "nodes may have this address, or addresses of this network, only (repeatable)",
      repeated,
    )
    .addOption(choice("--machine-type <type>", "what nodes become by it", TYPES).default("worker"))
    .option("--description <text>", "for those who look at the list", "")
    .addOption(choice("-o, --output <format>", "how to print", MADE).default("token"))
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane token create
  $ trustplane token create --uses 20 --ttl 1h --description "rack 7"
  $ trustplane token create --name '*.workers.example.com' --address 192.0.2.0/24
  $ trustplane token create --uses 0 --ttl 0 -o yaml`,
    )
    .action((options: TokenOptions, command: Command) =>
      run(async (io) => {
        const { createToken } = await import("../verbs/token.ts");
        return createToken(io, options, connection(command));
      }),
    );

const TYPES = ["worker", "controlplane"];
const MADE = ["token", "table", "yaml", "json"];
const LISTED = ["table", "yaml", "json"];

const lifetime = (value: string): string => (value === "0" ? value : durationText(value));

const listCommand = (run: Run): Command =>
  withConnectionFlags(new Command("list"))
    .summary("print the join tokens")
    .description(
      "Prints the join tokens by their ids: Valid, Spent by as many nodes as it was good for, Ended, or " +
        "Revoked. One that is of no use any more goes thirty days after its end.",
    )
    .addOption(choice("-o, --output <format>", "how to print", LISTED).default("table"))
    .addHelpText(
      "after",
      "\nExamples:\n  $ trustplane token list\n  $ trustplane token list -o json",
    )
    .action(({ output }: { readonly output: ListFormat }, command: Command) =>
      run(async (io) => {
        const { listTokens } = await import("../verbs/token.ts");
        return listTokens(io, output, connection(command));
      }),
    );

const revokeCommand = (run: Run): Command =>
  withConnectionFlags(new Command("revoke"))
    .summary("end a join token before its time")
    .description(
      "Lets nobody in by this token from now on. Nodes that joined with it stay: member remove takes one out.",
    )
    .argument("<id>", "the token, as token list names it: what stands before its dot")
    .addHelpText("after", "\nExamples:\n  $ trustplane token revoke 0k3vzq")
    .action((id: string, _: object, command: Command) =>
      run(async (io) => {
        const { revokeToken } = await import("../verbs/token.ts");
        return revokeToken(io, id, connection(command));
      }),
    );
