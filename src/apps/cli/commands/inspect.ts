/** `trustplane inspect`: what goes on inside a node. */
import { Command } from "commander";
import { connection, withConnectionFlags, type Run } from "../flags.ts";
import type { DependenciesOptions } from "../verbs/inspect-dependencies.ts";

export const inspectCommand = (run: Run): Command =>
  withConnectionFlags(new Command("inspect"))
    .summary("look into a node")
    .description("Looks into a node.")
    .addCommand(dependenciesCommand(run));

const dependenciesCommand = (run: Run): Command =>
  withConnectionFlags(new Command("dependencies"))
    .summary("print what controllers read and write, as a graph")
    .description(
      "Prints what the controllers of a node read and write, as a graph in the DOT language.",
    )
    .option("--with-resources", "show the resources that are there, not only their types", false)
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane inspect dependencies | dot -Tsvg > graph.svg
  $ trustplane inspect dependencies --with-resources`,
    )
    .action((options: DependenciesOptions, command: Command) =>
      run(async (io) => {
        const { inspectDependencies } = await import("../verbs/inspect-dependencies.ts");
        return inspectDependencies(io, options, connection(command));
      }),
    );
