/** A certificate and its key as they are held, read once for each pair of texts. */
import { hash } from "node:crypto";
import type { KeyedPem } from "./authority.ts";
import { readCertificate, type Certificate } from "./certificate.ts";
import { sameKey } from "./keys/algorithms.ts";
import { readPrivateKey } from "./keys/software-key.ts";

/** What two PEM texts hold. */
export interface Keyed {
  readonly certificate: Certificate;
  readonly keyMatches: boolean;
}

const known = new WeakMap<KeyedPem, KeyedPem & Keyed>();

/** Of the key that was held against a certificate last, only a digest is kept. */
const verdicts = new WeakMap<Certificate, { readonly digest: string; readonly matches: boolean }>();

/** A pair that was just issued will be read soon. */
export function keepPairInMind(pem: KeyedPem, certificate: Certificate): void {
  known.set(pem, { ...pem, certificate, keyMatches: true });
  verdicts.set(certificate, { digest: digestOf(pem.key), matches: true });
}

const digestOf = (key: string): string => hash("sha256", key, "base64");

/**
 * Reads a pair.
 *
 * @throws what `readCertificate` and `readPrivateKey` throw
 */
export function readKeyed(pem: KeyedPem): Keyed {
  const { crt, key } = pem;
  const before = known.get(pem);
  if (before?.crt === crt && before.key === key) return before;
  const certificate = readCertificate(crt);
  const keyMatches = belongsTo(certificate, key);
  const read = { crt, key, certificate, keyMatches };
  known.set(pem, read);
  return read;
}

/** The same texts come as other objects when a store is opened again. */
function belongsTo(certificate: Certificate, key: string): boolean {
  const digest = digestOf(key);
  const before = verdicts.get(certificate);
  if (before?.digest === digest) return before.matches;
  const matches = sameKey(readPrivateKey(key).publicKey, certificate.publicKey);
  verdicts.set(certificate, { digest, matches });
  return matches;
}
