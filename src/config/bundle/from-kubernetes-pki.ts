/** Takes over the authorities of a cluster that kubeadm made (talos-pki.md §3.4). */
import { authorityProfiles } from "#pki";
import { BundleInvalidError } from "../errors.ts";
import { inspectAuthority, inspectServiceAccountKey } from "../key-material.ts";
import { readTalosVersion } from "../talos-version.ts";
import type { SecretsBundle } from "./bundle.ts";
import { type BundleSources, issueRoot, issueSecrets } from "./issue.ts";

/** The files that are read, below `/etc/kubernetes/pki`. */
export const kubernetesPkiFiles = [
  "ca.crt",
  "ca.key",
  "etcd/ca.crt",
  "etcd/ca.key",
  "front-proxy-ca.crt",
  "front-proxy-ca.key",
  "sa.key",
] as const;

/** The contents of those files. */
export type KubernetesPki = Readonly<Record<(typeof kubernetesPkiFiles)[number], string>>;

/**
 * Makes a bundle from the authorities of a cluster that exists. The Talos root, the tokens and the
 * encryption secret are new: what the old etcd holds encrypted cannot be read with it.
 *
 * @param options bootstrapToken: the cluster's own; a new one where it is absent or empty
 * @throws {BundleInvalidError} naming each file that is not what it should be
 * @throws {TalosVersionError} when the version is not one
 */
export async function bundleFromKubernetesPki(
  files: KubernetesPki,
  options: BundleSources & { readonly bootstrapToken?: string },
): Promise<SecretsBundle> {
  const version = readTalosVersion(options.talosVersion);
  const problems = await problemsOf(files, options);
  if (problems.length > 0) throw new BundleInvalidError(problems);
  const { secrets, ...drawn } = issueSecrets(version, options.random);
  const { bootstrapToken = "" } = options;
  return {
    ...drawn,
    secrets: bootstrapToken === "" ? secrets : { ...secrets, bootstrapToken },
    certs: {
      etcd: pair(files, "etcd/ca"),
      k8s: pair(files, "ca"),
      k8sAggregator: pair(files, "front-proxy-ca"),
      k8sServiceAccount: { key: files["sa.key"] },
      os: await issueRoot(authorityProfiles.os, options),
    },
  };
}

const authorities = ["ca", "etcd/ca", "front-proxy-ca"] as const;

const pair = (files: KubernetesPki, name: (typeof authorities)[number]) => ({
  crt: files[`${name}.crt`],
  key: files[`${name}.key`],
});

async function problemsOf(files: KubernetesPki, options: BundleSources): Promise<string[]> {
  const problems: string[] = [];
  for (const name of authorities) {
    const findings = await inspectAuthority(pair(files, name), "issuing", options);
    if (files[`${name}.key`] === "") problems.push(`${name}.key: is empty`);
    for (const { field, message, kind } of findings)
      if (kind !== "warning") problems.push(`${name}.${field}: ${message}`);
  }
  const key = await inspectServiceAccountKey(files["sa.key"], options.keys);
  return "publicKey" in key ? problems : [...problems, `sa.key: ${key.message}`];
}
