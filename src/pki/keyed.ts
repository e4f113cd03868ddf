/** A certificate and its key as they are held, read once for each object that holds them. */
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

/** A pair that was just issued will be read soon. */
export function keepPairInMind(pem: KeyedPem, certificate: Certificate): void {
  known.set(pem, { ...pem, certificate, keyMatches: true });
}

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
  const keyMatches = sameKey(readPrivateKey(key).publicKey, certificate.publicKey);
  const read = { crt, key, certificate, keyMatches };
  known.set(pem, read);
  return read;
}
