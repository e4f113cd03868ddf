/** `trustplane help`: what a verb does, however deep it stands. */
import { Command } from "commander";

/** The help of the verbs beside it. */
export const helpCommand = (): Command =>
  new Command("help")
    .description("Shows what a verb does.")
    .summary("show what a verb does")
    .argument("[verb...]", "a verb, and one below it")
    .addHelpText("after", "\nExamples:\n  $ trustplane help gen crt")
    .action(async (words: string[], _: object, { parent }: Command) => {
      if (parent !== null) (await verbBelow(parent, words)).outputHelp();
    });

/** What follows a verb that has none below it are its arguments. */
async function verbBelow(command: Command, words: readonly string[]): Promise<Command> {
  const [word, ...more] = words;
  if (word === undefined || command.commands.length === 0) return command;
  const next = command.commands.find((each) => [each.name(), ...each.aliases()].includes(word));
  if (next === undefined) await command.parseAsync([word], { from: "user" }); // throws: unknown
  return next === undefined ? command : verbBelow(next, more);
}
