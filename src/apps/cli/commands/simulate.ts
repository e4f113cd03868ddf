/** `trustplane simulate`: years of a cluster in seconds, the same every time. */
import { Command, InvalidArgumentError } from "commander";
import type { Run } from "../flags.ts";
import type { SimulateOptions } from "../verbs/simulate.ts";

export const simulateCommand = (run: Run): Command =>
  new Command("simulate")
    .summary("simulate a cluster under faults: one seed, the same every time")
    .description(
      "Runs the controllers of a node, with real certificates and a real store, on simulated machines " +
        "whose clocks, disks and processes fail by a seed; checks what has to hold all the time, and in the end.",
    )
    .option("--scenario <name>", "what to simulate (default: control-plane); --list names all")
    .option("--seed <number>", "decides everything (default: a random one)", seed)
    .option("--years <count>", "simulate so many years (default: that of the scenario)", amount)
    .option("--days <count>", "simulate so many days", amount)
    .option("--only <places>", "of the events of the seed keep only these, or none", places)
    .option(
      "--minutes <count>",
      "run random seeds, of all scenarios in turn, for so long and to the end of the seed it is in",
      amount,
    )
    .option("--trace <file>", "write what happens, as JSON lines")
    .option("--force", "replace the file of --trace", false)
    .option("--explain <file>", "print a trace as a timeline; - is the standard input")
    .option(
      "--replay <file>",
      "run a trace again and say where it differs; - is the standard input",
    )
    .option("--list", "name the scenarios", false)
    .addHelpText(
      "after",
      `
Exit status: 0 when everything held; 1 when a property was broken, or a trace runs differently now;
2 for wrong usage, and for a file that cannot be read or written, is there already or is no trace.

Examples:
  $ trustplane simulate --seed 7 --years 10
  $ trustplane simulate --scenario clock-steps --seed 1 --trace trace.jsonl
  $ trustplane simulate --explain trace.jsonl | less
  $ trustplane simulate --minutes 5`,
    )
    .action((options: SimulateOptions) =>
      run(async (io) => (await import("../verbs/simulate.ts")).simulate(io, options)),
    );

function seed(value: string): number {
  const number = /^\d{1,15}$/.test(value) ? Number(value) : -1;
  if (number < 0) throw new InvalidArgumentError("Not a whole number of at most 15 digits.");
  return number;
}

function amount(value: string): number {
  const number = /^\d{1,6}(\.\d{1,6})?$/.test(value) ? Number(value) : 0;
  if (!(number > 0)) throw new InvalidArgumentError("Not a positive number.");
  return number;
}

function places(value: string): readonly number[] {
  if (value === "none") return [];
  if (!/^\d+(,\d+)*$/.test(value))
    throw new InvalidArgumentError("Not a list of places, such as 3,17, and not none.");
  return value.split(",").map(Number);
}
