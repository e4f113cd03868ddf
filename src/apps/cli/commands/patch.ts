/** `trustplane patch`, `edit` and `machineconfig`: changes of a machine configuration. */
import { Command } from "commander";
import {
  choice,
  connection,
  durationText,
  filePath,
  forced,
  repeated,
  withConnectionFlags,
  type Run,
} from "../flags.ts";
import type { ApplyFlags } from "../machine-configuration.ts";
import type { PatchFileOptions, PatchOptions } from "../verbs/patch.ts";

/** The flags that say how a configuration is applied. */
export const withApplyFlags = (command: Command): Command =>
  command
    .addOption(
      choice("-m, --mode <mode>", "when it takes effect", [
        "auto",
        "no-reboot",
        "staged",
        "try",
      ]).default("auto"),
    )
    .option(
      "--timeout <duration>",
      "in the mode try: when the configuration before comes back",
      durationText,
      "1m0s",
    )
    .option("--dry-run", "only say what would change", false)
    .hook("preAction", (called) => {
      const isTried = called.getOptionValue("mode") === "try";
      if (called.getOptionValueSource("timeout") === "cli" && !isTried)
        called.error("error: --timeout belongs to --mode try: this change would not be taken back");
    });

/** The one kind that can be changed. */
const withKind = (command: Command): Command =>
  command.addArgument(
    command
      .createArgument("<kind>", "machineconfig, or mc")
      .choices(["machineconfig", "machineconfigs", "mc"]),
  );

export const patchCommand = (run: Run): Command =>
  withApplyFlags(withKind(withConnectionFlags(new Command("patch"))))
    .summary("change a node's machine configuration by a patch")
    .description(
      "Changes the machine configuration of each node by patches: documents that are laid over it, or " +
        "a list of JSON Patch operations. A refused one changes nothing.",
    )
    .option("-p, --patch <patch>", "@FILE or the patch itself; may be repeated", repeated)
    .option("--patch-file <file>", "a file with a patch")
    .addHelpText(
      "after",
      "\nExamples:\n  $ trustplane patch mc -p 'machine: {certSANs: [node.example]}' --dry-run",
    )
    .action((_kind: string, options: PatchOptions, command: Command) =>
      run(async (io) =>
        (await import("../verbs/patch.ts")).patch(io, options, connection(command)),
      ),
    );

export const editCommand = (run: Run): Command =>
  withApplyFlags(withKind(withConnectionFlags(new Command("edit"))))
    .summary("change a node's machine configuration in an editor")
    .description(
      "Opens the machine configuration of each node in the editor of TALOS_EDITOR or EDITOR, else vi; " +
        "what the node refuses is opened again, with its reason.",
    )
    .addHelpText("after", "\nExamples:\n  $ trustplane edit machineconfig")
    .action((_kind: string, options: ApplyFlags, command: Command) =>
      run(async (io) => (await import("../verbs/edit.ts")).edit(io, options, connection(command))),
    );

export const machineConfigCommand = (run: Run): Command =>
  new Command("machineconfig")
    .alias("mc")
    .summary("change a file with a machine configuration")
    .description("Changes a file with a machine configuration, offline.")
    .addCommand(
      new Command("patch")
        .description("Writes a machine configuration anew, with patches applied.")
        .argument("<file>", "the machine configuration; - is the standard input", filePath)
        .requiredOption(
          "-p, --patch <patch>",
          "@FILE or the patch itself; may be repeated",
          repeated,
        )
        .option("-o, --output <file>", "where to write it; - is the standard output", filePath, "-")
        .option("--force", "replace the file that is there", false)
        .addHelpText(
          "after",
          "\nExamples:\n  $ trustplane machineconfig patch controlplane.yaml -p @patch.yaml -o new.yaml",
        )
        .action((file: string, options: PatchFileOptions, command: Command) =>
          run(async (io) =>
            (await import("../verbs/patch.ts")).patchFile(io, file, options, forced(command)),
          ),
        ),
    );
