/** Checks signatures, and writes public keys, by node:crypto. */
import { createPublicKey, verify, type KeyObject } from "node:crypto";
import type { Certificate } from "../certificate.ts";
import { writePem } from "../pem.ts";
import { familyOf, signatureAlgorithms } from "./algorithms.ts";
import type { PublicKey, SignatureAlgorithm } from "./key.ts";

const handles = new WeakMap<PublicKey, KeyObject>();

/** The key for node:crypto; undefined when its numbers are no key. */
function handleOf(key: PublicKey): KeyObject | undefined {
  let handle = handles.get(key);
  if (handle !== undefined) return handle;
  try {
    handle = createPublicKey({ key: Buffer.from(key.spki), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
  handles.set(key, handle);
  return handle;
}

/** Whether `signature` over `data` is by this key; false also where key and algorithm do not fit. */
export async function verifySignature(
  key: PublicKey,
  algorithm: SignatureAlgorithm,
  data: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const { family, digest } = signatureAlgorithms[algorithm];
  if (familyOf(key.algorithm) !== family) return false;
  const handle = handleOf(key);
  return handle !== undefined && verify(digest, data, handle, signature);
}

const verdicts = new WeakMap<Certificate, { readonly by: string; readonly good: boolean }>();

/** Whether the key of `issuer` signed `certificate`; names and usages are not looked at. */
export async function signedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  const by = issuer.spkiFingerprint;
  const known = verdicts.get(certificate);
  if (known?.by === by) return known.good;
  const { signatureAlgorithm, tbs, signature } = certificate;
  const good = await verifySignature(issuer.publicKey, signatureAlgorithm, tbs, signature);
  verdicts.set(certificate, { by, good });
  return good;
}

/** A key as a PUBLIC KEY block, which is what Kubernetes wants in sa.pub. */
export const publicKeyPem = ({ spki }: PublicKey): string => writePem("PUBLIC KEY", spki);

const talosLabels = {
  Ed25519: "ED25519 PUBLIC KEY",
  EC: "EC PUBLIC KEY",
  RSA: "PUBLIC KEY",
} as const;

/** A key under the label that Talos gives it, talos-pki.md §2.5; OpenSSL reads only that of RSA. */
export const talosPublicKeyPem = ({ algorithm, spki }: PublicKey): string =>
  writePem(talosLabels[familyOf(algorithm)], spki);
