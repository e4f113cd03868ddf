/** `trustplane get`: resources of the nodes. */
import { Command, InvalidArgumentError, Option } from "commander";
import { connection, withInsecureFlags, type Run } from "../flags.ts";
import type { GetOptions } from "../verbs/get.ts";

export const getCommand = (run: Run): Command =>
  withInsecureFlags(new Command("get"))
    .summary("print resources of the nodes")
    .description("Prints the resources of a kind, or one of them, from each node.")
    .argument("<kind>", "a kind or an alias of it; `rd` lists them")
    .argument("[id]", "print this one only")
    .addOption(outputOption())
    .option("-w, --watch", "go on, and print every change")
    .option("--namespace <name>", "look in this namespace (default: that of the kind)")
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane get certificatestatus
  $ trustplane get certificatestatus apid-server -o yaml
  $ trustplane get certificatestatus -w
  $ trustplane get certificatestatus apid-server -o jsonpath='{.spec.notAfter}'
  $ trustplane get rd`,
    )
    .action((kind: string, id: string | undefined, options: GetOptions, command: Command) =>
      run(async (io) => {
        const { get } = await import("../verbs/get.ts");
        return get(io, { kind, id, ...options }, connection(command));
      }),
    );

const FORMATS = ["table", "yaml", "json", "jsonpath=TEMPLATE"];

function outputOption(): Option {
  return new Option("-o, --output <format>", "how to print").choices(FORMATS).argParser((value) => {
    if (FORMATS.includes(value) || /^jsonpath=./s.test(value)) return value;
    throw new InvalidArgumentError(`Allowed choices are ${FORMATS.join(", ")}.`);
  });
}
