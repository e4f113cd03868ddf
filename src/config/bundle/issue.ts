/** Issues the roots of a cluster, and draws its tokens and secrets (talos-pki.md §3.1). */
import {
  type AuthorityProfile,
  authorityProfiles,
  issueAuthority,
  type KeyProvider,
  type KeyedPem,
} from "#pki";
import type { Instant, Random } from "#runtime";
import { isAtLeast, readTalosVersion, type TalosVersion } from "../talos-version.ts";
import { issueSecret, issueToken } from "../token.ts";
import type { SecretsBundle } from "./bundle.ts";

/** What a new bundle is made from. */
export interface BundleSources {
  /** `v1.13`: decides the service-account key and the encryption secret. */
  readonly talosVersion: string;
  readonly keys: KeyProvider;
  readonly random: Random;
  /** The one reading of the clock that all roots share. */
  readonly now: Instant;
}

/**
 * Issues a complete bundle. An RSA-4096 key is among it from Talos 1.7 on, which takes seconds.
 *
 * @throws {TalosVersionError} when the version is not one
 */
export async function issueBundle(sources: BundleSources): Promise<SecretsBundle> {
  const version = readTalosVersion(sources.talosVersion);
  const [etcd, k8s, k8sAggregator, os, serviceAccount] = await Promise.all([
    issueRoot(authorityProfiles.etcd, sources),
    issueRoot(authorityProfiles.kubernetes, sources),
    issueRoot(authorityProfiles.aggregator, sources),
    issueRoot(authorityProfiles.os, sources),
    sources.keys.issueKey(isAtLeast(version, 7) ? "RSA-4096" : "P-256"),
  ]);
  return {
    ...issueSecrets(version, sources.random),
    certs: { etcd, k8s, k8sAggregator, k8sServiceAccount: { key: await serviceAccount.pem() }, os },
  };
}

/** Issues one root. */
export async function issueRoot(
  profile: AuthorityProfile,
  { keys, random, now }: Omit<BundleSources, "talosVersion">,
): Promise<KeyedPem> {
  const { certificate, key } = await issueAuthority(profile, { keys, random, now });
  return { crt: certificate.pem, key: await key.pem() };
}

/** Draws everything of a bundle that is no certificate and no key. */
export function issueSecrets(version: TalosVersion, random: Random): Omit<SecretsBundle, "certs"> {
  const encryption = isAtLeast(version, 3) ? "secretboxEncryptionSecret" : "aescbcEncryptionSecret";
  return {
    cluster: {
      id: issueSecret(random, isAtLeast(version, 14) ? "base64" : "base64url"),
      secret: issueSecret(random),
    },
    secrets: { bootstrapToken: issueToken(random), [encryption]: issueSecret(random) },
    trustdInfo: { token: issueToken(random) },
  };
}
