/** `trustplane completion`: scripts for shells, and the hidden verb that they ask. */
import { Argument, Command } from "commander";
import type { Run } from "../flags.ts";

export const completionCommand = (run: Run): Command =>
  new Command("completion")
    .summary("print a script that completes words in a shell")
    .description("Prints a script that completes verbs, flags, kinds and ids in a shell.")
    .addArgument(new Argument("<shell>", "whose script").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      `
Examples:
  $ source <(trustplane completion bash)
  $ trustplane completion zsh > "\${fpath[1]}/_trustplane"
  $ trustplane completion fish > ~/.config/fish/completions/trustplane.fish`,
    )
    .action((shell: string) =>
      run(async (io) => {
        const { completion } = await import("../verbs/completion.ts");
        return completion(io, shell);
      }),
    );

/** What a script asks: the words after the program's name, the last of them incomplete. */
export const completeCommand = (run: Run): Command =>
  new Command("__complete")
    .argument("[words...]")
    .action((words: readonly string[], _: object, command: Command) =>
      run(async (io) => {
        const { complete } = await import("../verbs/complete.ts");
        return complete(io, words, command.parent ?? command);
      }),
    );
