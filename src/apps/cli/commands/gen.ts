/** `trustplane gen`: secrets, configurations and certificates, offline. */
import { Command, InvalidArgumentError, Option } from "commander";
import { filePath, forced, listed, type Run } from "../flags.ts";
import type { GenConfigFlags } from "../verbs/gen/config.ts";
import type { GenSecretsFlags } from "../verbs/gen/secrets.ts";
import { caCommand, crtCommand, csrCommand, keyCommand, keypairCommand } from "./gen-pki.ts";

/** What `gen config` can write. */
const OUTPUT_TYPES = ["controlplane", "worker", "talosconfig"];

/** The contract that configurations are written for, unless another is asked for. */
const TALOS_VERSION = "v1.13";

export function genCommand(run: Run): Command {
  const gen = new Command("gen")
    .summary("make secrets, configurations, keys and certificates, offline")
    .description(
      "Makes what a cluster begins with; nothing is asked of the network. Files are readable by " +
        "their owner only and never replace others without --force.",
    )
    .enablePositionalOptions();
  const leaves = [secretsCommand, configCommand, caCommand, keyCommand, csrCommand, crtCommand];
  for (const leaf of [...leaves, keypairCommand]) gen.addCommand(leaf(run));
  for (const command of [gen, ...gen.commands])
    command.option("-f, --force", "replace files that exist");
  return gen.addHelpText(
    "after",
    "\nExamples:\n  $ trustplane gen secrets\n" +
      "  $ trustplane gen config my-cluster https://192.0.2.10:6443 --with-secrets secrets.yaml",
  );
}

function secretsCommand(run: Run): Command {
  const pki = "--from-kubernetes-pki";
  return new Command("secrets")
    .summary("make the secrets bundle of a cluster")
    .description("Makes the secrets bundle of a new cluster, or of one that exists elsewhere.")
    .option(
      "-o, --output-file <file>",
      "where to write it; - is the standard output",
      filePath,
      "secrets.yaml",
    )
    .addOption(new Option("--output <file>").argParser(filePath).hideHelp())
    .option("--talos-version <version>", "the contract to make it for", TALOS_VERSION)
    .addOption(
      new Option(`-p, ${pki} <dir>`, "take authorities and sa.key from kubeadm's layout").conflicts(
        "fromControlplaneConfig",
      ),
    )
    .option("--from-controlplane-config <file>", "take everything from a machine configuration")
    .addOption(
      new Option(
        "-t, --kubernetes-bootstrap-token <token>",
        "the bootstrap token to put in; @FILE reads it from a file, - from the standard input",
      ).conflicts("fromControlplaneConfig"),
    )
    .option("--strict", "treat warnings as errors", false)
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane gen secrets
  $ trustplane gen secrets -o - | age -e -r RECIPIENT > secrets.yaml.age
  $ trustplane gen secrets ${pki} /etc/kubernetes/pki --kubernetes-bootstrap-token @token.txt
  $ trustplane gen secrets --from-controlplane-config controlplane.yaml -o recovered.yaml`,
    )
    .action((options: GenSecretsFlags, command: Command) =>
      run(async (io) => {
        const { genSecrets } = await import("../verbs/gen/secrets.ts");
        return genSecrets(io, { ...options, force: forced(command) });
      }),
    );
}

function configCommand(run: Run): Command {
  return new Command("config")
    .summary("make machine configurations and a talosconfig")
    .description(
      "Makes controlplane.yaml, worker.yaml and talosconfig for a cluster. Without --with-secrets " +
        "the secrets are new and stand in these files only.",
    )
    .argument("<name>", "the name of the cluster")
    .argument("<endpoint>", "the URL of its Kubernetes API, https://HOST:PORT")
    .option("--with-secrets <file>", "the secrets bundle to use")
    .option("-t, --output-types <type>", "what to write (comma-separated)", outputTypes)
    .option("--additional-sans <name>", "names and addresses for server certificates", listed)
    .option("--talos-version <version>", "the contract to write for", TALOS_VERSION)
    .option("--kubernetes-version <version>", "the Kubernetes to run")
    .option("--install-disk <disk>", "the disk to install to", "/dev/sda")
    .option("--dns-domain <domain>", "the cluster's DNS domain", "cluster.local")
    .option("-o, --output <path>", "a directory; with one type a file, or - for standard output")
    .option("--strict", "treat warnings about the secrets bundle as errors", false)
    .option("--with-docs", "taken as talosctl takes it; no comments are written either way")
    .option("--with-examples", "taken as talosctl takes it; no examples are written either way")
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane gen config my-cluster https://192.0.2.10:6443
  $ trustplane gen config my-cluster https://192.0.2.10:6443 --with-secrets secrets.yaml \\
      --output-types talosconfig --output admin.talosconfig`,
    )
    .action((name: string, endpoint: string, options: GenConfigFlags, command: Command) =>
      run(async (io) => {
        const { genConfig } = await import("../verbs/gen/config.ts");
        return genConfig(io, { ...options, name, endpoint, force: forced(command) });
      }),
    );
}

const outputTypes = (value: string, before: readonly string[] | undefined): readonly string[] => {
  const types = listed(value, before);
  if (types.length === 0) throw new InvalidArgumentError("It names no type.");
  for (const type of types)
    if (!OUTPUT_TYPES.includes(type))
      throw new InvalidArgumentError(`Allowed types are ${OUTPUT_TYPES.join(", ")}.`);
  return [...new Set(types)];
};
