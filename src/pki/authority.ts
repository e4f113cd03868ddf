/** Makes and reads authorities. */
import { after, minutes, type Instant, type Random } from "#runtime";
import { readCertificate, type Certificate } from "./certificate.ts";
import { AuthorityExpiredError, KeyMismatchError, NotAuthorityError } from "./errors.ts";
import { issueCertificate, type Authority } from "./issue.ts";
import { sameKey } from "./keys/algorithms.ts";
import type { KeyProvider } from "./keys/key.ts";
import { signedBy } from "./keys/public-key.ts";
import { buildName, formatName } from "./name.ts";
import { extensionOids } from "./oids.ts";
import type { AuthorityProfile } from "./profiles.ts";

/** How far certificates are backdated, for peers whose clocks are slow. */
export const SKEW = minutes(15);

/** A certificate and its private key as PEM, which is how they stand in resources. */
export interface KeyedPem {
  readonly crt: string;
  readonly key: string;
}

const KEY_ID_BYTES = 20;

/**
 * Issues a self-signed authority.
 *
 * @param o.now one reading of the clock for all roots of a bundle
 * @see talos-pki.md §2.1, CA builder specifics
 */
export async function issueAuthority(
  profile: AuthorityProfile,
  o: { readonly keys: KeyProvider; readonly now: Instant; readonly random: Random },
): Promise<Authority> {
  const key = await o.keys.issueKey(profile.keyAlgorithm);
  const notBefore = after(o.now, -SKEW);
  const certificate = await issueCertificate({
    issuer: "self",
    key,
    subject: buildName({ organizations: profile.organizations }),
    publicKey: key.publicKey,
    notBefore,
    notAfter: after(notBefore, profile.lifetime),
    keyUsages: ["digitalSignature", "keyCertSign"],
    extKeyUsages: ["serverAuth", "clientAuth"],
    ca: true,
    // Not a hash of the key: two authorities of one key are told apart.
    subjectKeyId: o.random.bytes(KEY_ID_BYTES),
    random: o.random,
  });
  return { certificate, key };
}

/**
 * Reads an authority, and makes sure that it is one.
 *
 * @throws {NotAuthorityError} when the certificate may not issue
 * @throws {KeyMismatchError} when the key is not that of the certificate
 */
export async function readAuthority(
  { crt, key: keyPem }: KeyedPem,
  keys: KeyProvider,
  source = "authority",
): Promise<Authority> {
  const certificate = readCertificate(crt, source);
  if (!mayIssue(certificate))
    throw new NotAuthorityError(
      `${source}: the certificate of ${nameOf(certificate)} is not that of an authority`,
    );
  const key = await keys.readKey(keyPem, `key of ${source}`);
  if (!sameKey(key.publicKey, certificate.publicKey))
    throw new KeyMismatchError(
      `${source}: the key is not that of the certificate of ${nameOf(certificate)}`,
    );
  return { certificate, key };
}

/** An authority as PEM. */
export async function authorityPem({ certificate, key }: Authority): Promise<KeyedPem> {
  return { crt: certificate.pem, key: await key.pem() };
}

/** Basic constraints and key usage allow to sign certificates, RFC 5280 §4.2.1.3, §4.2.1.9. */
export function mayIssue({ isCa, keyUsages, extensions }: Certificate): boolean {
  const limited = extensions.some(({ oid }) => oid === extensionOids.keyUsage);
  return isCa && (!limited || keyUsages.includes("keyCertSign"));
}

/** Whether a certificate is signed by its own key. */
export const isSelfSigned = (certificate: Certificate): Promise<boolean> =>
  signedBy(certificate, certificate);

/** @throws {AuthorityExpiredError} when the authority has ended */
export function assertNotEnded(certificate: Certificate, now: Instant): void {
  if (now >= certificate.notAfter)
    throw new AuthorityExpiredError(
      `the authority ${nameOf(certificate)} ended on ` +
        `${new Date(certificate.notAfter).toISOString()}; replace it before anything is issued`,
    );
}

const nameOf = ({ subject, fingerprint }: Certificate): string =>
  formatName(subject) || `with the fingerprint ${fingerprint}`;
