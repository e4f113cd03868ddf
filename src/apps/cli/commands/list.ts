/** `trustplane list`: the files of the nodes. */
import { Command, InvalidArgumentError } from "commander";
import { connection, listed, withConnectionFlags, type Run } from "../flags.ts";
import type { ListOptions } from "../verbs/list.ts";

export const listCommand = (run: Run): Command =>
  withConnectionFlags(new Command("list").alias("ls"))
    .summary("list the files of the nodes")
    .description("Lists the files that each node shows: facts about it, and what it publishes.")
    .argument("[path]", "where to begin", "/")
    .option("-l, --long", "with mode, owner, size and time", false)
    .option("-r, --recurse", "go into directories", false)
    .option("-d, --depth <levels>", "go so deep into directories", levels)
    .option("-t, --type <type>", "only f (files), d (directories) or l (links)", types)
    .addHelpText("after", "\nExamples:\n  $ trustplane list /system/state/pki -r -t f -l")
    .action((path: string, options: ListOptions, command: Command) =>
      run(async (io) => {
        const { list } = await import("../verbs/list.ts");
        return list(io, path, options, connection(command));
      }),
    );

function levels(value: string): number {
  const number = /^\d{1,4}$/.test(value) ? Number(value) : 0;
  if (number < 1) throw new InvalidArgumentError("Not a positive number.");
  return number;
}

function types(value: string, before: readonly string[] | undefined): readonly string[] {
  const all = listed(value, before);
  for (const type of all)
    if (!/^[fdlL]$/.test(type)) throw new InvalidArgumentError("Allowed choices are f, d, l.");
  return all;
}
