/** `trustplane kubeconfig`: a kubeconfig for an administrator, from a node. */
import { Command } from "commander";
import { connection, filePath, withConnectionFlags, type Run } from "../flags.ts";
import type { KubeconfigOptions } from "../verbs/kubeconfig.ts";

export const kubeconfigCommand = (run: Run): Command =>
  withConnectionFlags(new Command("kubeconfig"))
    .summary("get a kubeconfig from a node")
    .description(
      "Gets a new kubeconfig for an administrator, and merges it into ~/.kube/config, the first file " +
        "of the variable KUBECONFIG, or the one that is named. With --merge=false it is written to " +
        "./kubeconfig, or where it is named; - is the standard output.",
    )
    .argument("[path]", "the file, or the directory of a file kubeconfig", filePath)
    .option("-f, --force", "replace what has the same name", false)
    .option("-m, --merge", "merge with what is in the file", true)
    .option("--force-context-name <name>", "give the context this name")
    .addHelpText(
      "after",
      "\nExamples:\n  $ trustplane kubeconfig\n  $ trustplane kubeconfig --merge=false ./admin.conf",
    )
    .action((path: string | undefined, options: KubeconfigOptions, command: Command) =>
      run(async (io) => {
        const { kubeconfig } = await import("../verbs/kubeconfig.ts");
        return kubeconfig(io, path, options, connection(command));
      }),
    );
