/** `trustplane gen ca|key|csr|crt|keypair`: single keys and certificates (talos-pki.md §3.7). */
import { Command } from "commander";
import {
  fileStem,
  forced,
  ipAddress,
  ipAddresses,
  listed,
  wholeHours,
  type Run,
} from "../flags.ts";

const load = () => import("../verbs/gen/pki.ts");

export const caCommand = (run: Run): Command =>
  new Command("ca")
    .summary("make an authority")
    .description("Makes ORG.crt, ORG.key and ORG.sha256: a self-signed authority, Ed25519.")
    .requiredOption(
      "--organization <org>",
      "the subject of its certificate, and the files' name",
      fileStem,
    )
    .option("--hours <hours>", "how long it is valid", wholeHours, 87_600)
    .option("--rsa", "use an RSA key of 4096 bits instead", false)
    .addHelpText("after", "\nExamples:\n  $ trustplane gen ca --organization talos")
    .action((options: { organization: string; hours: number; rsa: boolean }, command: Command) =>
      run(async (io) => (await load()).genCa(io, { ...options, force: forced(command) })),
    );

export const keyCommand = (run: Run): Command =>
  new Command("key")
    .summary("make a private key")
    .description("Makes NAME.key: an Ed25519 private key.")
    .requiredOption("--name <name>", "the file's name without .key", fileStem)
    .addHelpText("after", "\nExamples:\n  $ trustplane gen key --name admin")
    .action((options: { name: string }, command: Command) =>
      run(async (io) => (await load()).genKey(io, { ...options, force: forced(command) })),
    );

export const csrCommand = (run: Run): Command =>
  new Command("csr")
    .summary("make a request for a certificate")
    .description("Makes KEY.csr: a request with roles as its subject and one address.")
    .requiredOption("--key <file>", "the private key, Ed25519")
    .requiredOption("--ip <ip>", "the address to ask for", ipAddress)
    .option("--roles <role>", "the roles to ask for (comma-separated; default: os:admin)", listed)
    .addHelpText("after", "\nExamples:\n  $ trustplane gen csr --key admin.key --ip 192.0.2.10")
    .action((options: { key: string; ip: string; roles?: readonly string[] }, command: Command) =>
      run(async (io) => (await load()).genCsr(io, { ...options, force: forced(command) })),
    );

export const crtCommand = (run: Run): Command =>
  new Command("crt")
    .summary("issue a client certificate")
    .description("Makes NAME.crt: a client certificate for a request, issued by CA.crt and CA.key.")
    .requiredOption("--name <name>", "the file's name without .crt", fileStem)
    .requiredOption("--ca <name>", "the authority's files without .crt and .key")
    .requiredOption("--csr <file>", "the request")
    .option("--hours <hours>", "how long it is valid", wholeHours, 24)
    .addHelpText(
      "after",
      "\nExamples:\n  $ trustplane gen crt --ca talos --csr admin.csr --name admin --hours 8760",
    )
    .action((options: { name: string; ca: string; csr: string; hours: number }, command: Command) =>
      run(async (io) => (await load()).genCrt(io, { ...options, force: forced(command) })),
    );

export const keypairCommand = (run: Run): Command =>
  new Command("keypair")
    .summary("make an authority of a day, for one address")
    .description("Makes ORG.crt and ORG.key: a self-signed authority of 24 hours with addresses.")
    .requiredOption(
      "--organization <org>",
      "the subject of its certificate, and the files' name",
      fileStem,
    )
    .option("--ip <ip>", "an address to put into it", ipAddresses)
    .addHelpText(
      "after",
      "\nExamples:\n  $ trustplane gen keypair --organization test --ip 192.0.2.10",
    )
    .action((options: { organization: string; ip?: readonly string[] }, command: Command) =>
      run(async (io) => (await load()).genKeypair(io, { ...options, force: forced(command) })),
    );
