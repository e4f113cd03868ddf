/** `gen secrets`: the bundle of a new cluster, or of one that exists (talos-pki.md §3.4). */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  bundleFromKubernetesPki,
  bundleFromMachineConfig,
  checkMachineConfig,
  issueBundle,
  kubernetesPkiFiles,
  loadBundle,
  loadMachineConfig,
  readTalosVersion,
  writeBundle,
  type BundleSources,
  type KubernetesPki,
  type SecretsBundle,
} from "#config";
import { webCryptoKeys } from "#pki";
import { ArgumentError, fileAccess, wrongUsage } from "../../errors.ts";
import { readInput, refuseExisting, STREAM, writeOutputs } from "../../files.ts";
import type { Io } from "../../io.ts";
import { warn, withProgress } from "../../terminal.ts";

/** The flags of `gen secrets`. */
export interface GenSecretsFlags {
  readonly outputFile: string;
  /** Another name of `outputFile`. */
  readonly output?: string;
  readonly talosVersion: string;
  readonly fromKubernetesPki?: string;
  readonly fromControlplaneConfig?: string;
  readonly kubernetesBootstrapToken?: string;
  /** Warnings are errors. */
  readonly strict: boolean;
}

/** Makes a secrets bundle; it goes through the checks of one that is read. */
export async function genSecrets(
  io: Io,
  flags: GenSecretsFlags & { readonly force: boolean },
): Promise<number> {
  wrongUsage(() => readTalosVersion(flags.talosVersion));
  const path = flags.output ?? flags.outputFile;
  await refuseExisting(io, [path], flags.force);
  const { keys, now, ...sources } = sourcesOf(io, flags.talosVersion);
  const bundle = await bundleOf(io, flags, { keys, now, ...sources });
  const content = writeBundle(bundle);
  const { strict } = flags;
  const { warnings } = await loadBundle(content, { keys, now, source: path, strict });
  warn(io, warnings);
  await writeOutputs(io, [{ path, content }], flags.force);
  return 0;
}

/** What new roots are made from. */
export const sourcesOf = ({ clock, random }: Io, talosVersion: string): BundleSources => ({
  talosVersion,
  keys: webCryptoKeys(),
  random,
  now: clock.now(),
});

/** A bundle of nothing but new secrets. */
export const newBundle = (io: Io, sources: BundleSources): Promise<SecretsBundle> =>
  withProgress(io, "generating PKI and tokens", () => issueBundle(sources));

async function bundleOf(
  io: Io,
  flags: GenSecretsFlags,
  sources: BundleSources,
): Promise<SecretsBundle> {
  const { fromControlplaneConfig: source, fromKubernetesPki: directory, strict } = flags;
  if (source !== undefined) {
    const config = loadMachineConfig(await readInput(io, source), source);
    const { warnings } = await checkMachineConfig(config, { ...sources, strict });
    warn(io, warnings);
    return bundleFromMachineConfig(config);
  }
  const bootstrapToken = await tokenOf(io, flags.kubernetesBootstrapToken);
  if (directory !== undefined) {
    const files = await readKubernetesPki(io, directory);
    return bundleFromKubernetesPki(files, { ...sources, bootstrapToken });
  }
  const bundle = await newBundle(io, sources);
  if (bootstrapToken === "") return bundle;
  return { ...bundle, secrets: { ...bundle.secrets, bootstrapToken } };
}

/** A token on the command line can be seen by every user of the machine: so it may come otherwise. */
async function tokenOf(io: Io, flag = ""): Promise<string> {
  if (flag === "") return "";
  const token = flag === STREAM || flag.startsWith("@") ? await readInput(io, named(flag)) : flag;
  if (token.trim() === "") throw new ArgumentError("--kubernetes-bootstrap-token: the token is empty");
  return token.trim();
}

const named = (flag: string): string => (flag === STREAM ? flag : flag.slice(1));

async function readKubernetesPki(io: Io, directory: string): Promise<KubernetesPki> {
  const found = await stat(resolve(io.cwd, directory)).catch((cause: unknown) => {
    throw fileAccess("read", directory, cause);
  });
  if (!found.isDirectory()) throw new ArgumentError(`${JSON.stringify(directory)} is not a directory`);
  const entries: [string, string][] = [];
  for (const name of kubernetesPkiFiles) // the first that is missing is the one that is named
    entries.push([name, await readInput(io, join(directory, name))]);
  return Object.fromEntries(entries) as KubernetesPki;
}
