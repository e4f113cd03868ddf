/** `trustplane up`: the node, in the foreground. */
import { Command } from "commander";
import { choice, ipAddress, ipAddresses, port, repeated, type Run } from "../flags.ts";
import type { UpOptions } from "../verbs/up.ts";

export const upCommand = (run: Run): Command =>
  new Command("up")
    .summary("run a node: issue, renew and serve its certificates")
    .description(
      "Runs a node in the foreground until SIGINT, SIGTERM or SIGHUP. Without a configuration and without " +
        "state it makes itself a demo cluster of one.",
    )
    .option(
      "--config <file>",
      "machine configuration for a node without state; may be repeated, the files are joined",
      repeated,
    )
    .option("--config-overwrite", "apply --config to a node that has state", false)
    .option("--strict", "treat warnings about a --config that is to be applied as errors", false)
    .option("--state-dir <dir>", "where the node keeps its state", "./.trustplane")
    .option("--pki-dir <dir>", "where certificates and keys are written (default: <state-dir>/pki)")
    .option("--maintenance", "without a configuration, wait for one (apply-config -i)", false)
    .option("--maintenance-address <ip>", "where to wait for it (default: 127.0.0.1)", ipAddress)
    .option("--adopt", "take over files below --pki-dir that the node did not write", false)
    .option("--api-address <ip>", "listen and call out on this address", ipAddress, "127.0.0.1")
    .option("--api-port <port>", "listen on this port", port, 50000)
    .option("--trustd-port <port>", "sign for nodes on this port (default: 50001)", port)
    .option("--strict-join", "certify addresses only for nodes that ask from them", false)
    .option("--no-machine-token", "let nodes join by join tokens only, not by machine.token")
    .option(
      "--hostname <name>",
      "the node's name (default: from the configuration, or the machine)",
    )
    .option(
      "--member <ip>",
      "a control plane of the cluster; may be repeated, and this node may be among them",
      ipAddresses,
    )
    .addOption(
      choice(
        "--time-source <source>",
        "whom to ask for the time (default: auto; none for a demo and off Linux)",
        ["auto", "none"],
      ),
    )
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane up
  $ trustplane up --config controlplane.yaml --state-dir /var/lib/trustplane --pki-dir /etc
  $ trustplane up --api-address 127.0.0.2 --api-port 50100
  $ trustplane up --config controlplane.yaml --api-address 192.0.2.10 --member 192.0.2.11,192.0.2.12
  $ trustplane up --maintenance`,
    )
    .action((options: UpOptions) =>
      run(async (io) => (await import("../verbs/up.ts")).up(io, options)),
    );
