/** `trustplane config`: the talosconfig of this user (talos-pki.md §3.6). */
import { Command } from "commander";
import {
  choice,
  connection,
  durationText,
  filePath,
  listed,
  withConnectionFlags,
  type Run,
} from "../flags.ts";
import type * as verbs from "../verbs/config/contexts.ts";
import type { InfoOptions } from "../verbs/config/info.ts";
import type { NewOptions } from "../verbs/config/new.ts";

export function configCommand(run: Run): Command {
  const config = withConnectionFlags(new Command("config"))
    .summary("read and change the talosconfig")
    .description("Reads and changes the talosconfig, which says whom to talk to, and as whom.")
    .enablePositionalOptions();
  for (const leaf of [...reading(run), ...setting(run), ...collecting(run), newCommand(run)])
    config.addCommand(withConnectionFlags(leaf));
  return config.addHelpText(
    "after",
    "\nExamples:\n  $ trustplane config info\n  $ trustplane config merge ./talosconfig",
  );
}

const load = () => import("../verbs/config/contexts.ts");

const reading = (run: Run): Command[] => [
  new Command("info")
    .description("Prints the current context: nodes, endpoints, roles, end of its certificate.")
    .addOption(choice("-o, --output <format>", "how to print", ["text", "json", "yaml"]))
    .addHelpText("after", "\nExamples:\n  $ trustplane config info -o json")
    .action((options: InfoOptions, command: Command) =>
      run(async (io) => {
        const { info } = await import("../verbs/config/info.ts");
        return info(io, options, connection(command));
      }),
    ),
  new Command("contexts")
    .description("Lists the contexts.")
    .addHelpText("after", "\nExamples:\n  $ trustplane config contexts")
    .action((_: object, command: Command) =>
      run(async (io) => (await load()).contexts(io, connection(command))),
    ),
];

const setting = (run: Run): Command[] => [
  new Command("context")
    .description("Makes a context the current one.")
    .argument("<name>")
    .addHelpText("after", "\nExamples:\n  $ trustplane config context my-cluster")
    .action((name: string, _: object, command: Command) =>
      run(async (io) => (await load()).useContext(io, name, connection(command))),
    ),
  new Command("endpoint")
    .alias("endpoints")
    .description("Sets the endpoints of the current context; none given takes them away.")
    .argument("[endpoint...]")
    .addHelpText("after", "\nExamples:\n  $ trustplane config endpoint 192.0.2.10 192.0.2.11")
    .action((hosts: string[], _: object, command: Command) =>
      run(async (io) => (await load()).setEndpoints(io, hosts, connection(command))),
    ),
  new Command("node")
    .alias("nodes")
    .description("Sets the nodes of the current context; none given takes them away.")
    .argument("[node...]")
    .addHelpText("after", "\nExamples:\n  $ trustplane config node 192.0.2.10")
    .action((hosts: string[], _: object, command: Command) =>
      run(async (io) => (await load()).setNodes(io, hosts, connection(command))),
    ),
];

const collecting = (run: Run): Command[] => [
  new Command("add")
    .description("Adds a context, and does not switch to it.")
    .argument("<name>")
    .option("--ca <file>", "the certificate of its authority")
    .option("--crt <file>", "the client certificate")
    .option("--key <file>", "the key of the client certificate")
    .addHelpText(
      "after",
      "\nExamples:\n  $ trustplane config add lab --ca talos.crt --crt admin.crt --key admin.key",
    )
    .action((name: string, files: verbs.ContextFiles, command: Command) =>
      run(async (io) => (await load()).addContext(io, name, files, connection(command))),
    ),
  new Command("merge")
    .description("Takes over the contexts of another talosconfig, and switches to its current one.")
    .argument("<from>", "the other talosconfig")
    .addHelpText("after", "\nExamples:\n  $ trustplane config merge ./talosconfig")
    .action((from: string, _: object, command: Command) =>
      run(async (io) => (await load()).merge(io, from, connection(command))),
    ),
  new Command("remove")
    .description("Takes contexts away; the current one stays.")
    .argument("<pattern...>", "names, in which * and ? stand for anything")
    .option("-y, --noconfirm", "do not ask", false)
    .option("--dry-run", "only say what would be taken away", false)
    .addHelpText("after", "\nExamples:\n  $ trustplane config remove 'lab*' --dry-run")
    .action((patterns: string[], options: verbs.RemoveOptions, command: Command) =>
      run(async (io) => (await load()).removeContexts(io, patterns, options, connection(command))),
    ),
];

const newCommand = (run: Run): Command =>
  new Command("new")
    .description("Asks a node for a new client certificate, and writes a talosconfig with it.")
    .argument("[path]", "where to write it; - is the standard output", filePath, "talosconfig")
    .option(
      "--roles <role>",
      "the roles it may act in (comma-separated; default: os:admin)",
      listed,
    )
    .option("--crt-ttl <duration>", "how long it is valid (default: 8760h0m0s)", durationText)
    .addHelpText(
      "after",
      "\nExamples:\n  $ trustplane config new reader.talosconfig --roles os:reader --crt-ttl 24h",
    )
    .action((path: string, options: NewOptions, command: Command) =>
      run(async (io) => {
        const { newTalosconfig } = await import("../verbs/config/new.ts");
        return newTalosconfig(io, path, options, connection(command));
      }),
    );
