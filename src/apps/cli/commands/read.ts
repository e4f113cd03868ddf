/** `trustplane read`: a file of a node. */
import { Command } from "commander";
import { connection, withConnectionFlags, type Run } from "../flags.ts";

export const readCommand = (run: Run): Command =>
  withConnectionFlags(new Command("read"))
    .summary("print a file of a node")
    .description("Prints a file that a node shows; private keys are not handed out.")
    .argument("<path>", "the file; trustplane list shows what there is")
    .addHelpText("after", "\nExamples:\n  $ trustplane read /proc/version")
    .action((path: string, _: object, command: Command) =>
      run(async (io) => {
        const { read } = await import("../verbs/read.ts");
        return read(io, path, connection(command));
      }),
    );
