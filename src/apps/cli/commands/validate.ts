/** `trustplane validate`: is a machine configuration one that a node would take? */
import { Command } from "commander";
import { choice, type Run } from "../flags.ts";
import type { ValidateOptions } from "../verbs/validate.ts";

export const validateCommand = (run: Run): Command =>
  new Command("validate")
    .summary("check a machine configuration")
    .description("Checks a machine configuration as a node checks one that is new to it.")
    .requiredOption("-c, --config <file>", "the machine configuration; - is the standard input")
    .addOption(
      choice("-m, --mode <mode>", "what it is for", [
        "metal",
        "cloud",
        "container",
      ]).makeOptionMandatory(),
    )
    .option("--strict", "treat warnings as errors", false)
    .addHelpText(
      "after",
      "\nExamples:\n  $ trustplane validate --config controlplane.yaml --mode metal --strict",
    )
    .action((options: ValidateOptions) =>
      run(async (io) => (await import("../verbs/validate.ts")).validate(io, options)),
    );
