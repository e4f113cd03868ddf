/** The one gate that every leaf passes last, in its final bytes, whatever path it came by. */
import type { Instant } from "#runtime";
import type { Certificate } from "./certificate.ts";
import { CertificateRefusedError } from "./errors.ts";
import { keyIdUnder } from "./issue.ts";
import { sameKey } from "./keys/algorithms.ts";
import type { PublicKey } from "./keys/key.ts";
import { signedBy } from "./keys/public-key.ts";
import { formatName, sameName, type Name } from "./name.ts";
import { extensionOids } from "./oids.ts";
import { parseCertificate } from "./parse.ts";
import type { LeafProfile } from "./profiles.ts";

/** What a finished leaf has to be. */
export interface LeafExpectation {
  readonly profile: Pick<LeafProfile, "keyUsages" | "extKeyUsages">;
  readonly issuer: Certificate;
  readonly subject: Name;
  readonly publicKey: PublicKey;
  readonly dnsNames: readonly string[];
  /** In canonical text. */
  readonly ipAddresses: readonly string[];
  readonly now: Instant;
}

const leafExtensions: ReadonlySet<string> = new Set([
  extensionOids.keyUsage,
  extensionOids.extKeyUsage,
  extensionOids.authorityKeyIdentifier,
  extensionOids.subjectAltName,
]);

const SERIAL_LIMIT = 1n << 128n;

type Check = (leaf: Certificate, expected: LeafExpectation) => boolean;

const checks: Readonly<Record<string, Check>> = {
  "is not of version 3": ({ version }) => version === 3,
  "has a bad serial number": ({ serialNumber }) => serialNumber > 0n && serialNumber < SERIAL_LIMIT,
  "is that of an authority": ({ isCa }) => !isCa,
  "has extensions that leaves do not have": ({ extensions }) =>
    extensions.every(({ oid }) => leafExtensions.has(oid)),
  "has another subject": ({ subject }, expected) => sameName(subject, expected.subject),
  "has another issuer": ({ issuer }, expected) => sameName(issuer, expected.issuer.subject),
  "has another key": ({ publicKey }, expected) => sameKey(publicKey, expected.publicKey),
  "has other key usages": ({ keyUsages }, { profile }) => sameList(keyUsages, profile.keyUsages),
  "has other extended key usages": ({ extKeyUsages }, { profile }) =>
    sameList(extKeyUsages, profile.extKeyUsages),
  "has other names": ({ subjectAltNames, dnsNames, ipAddresses }, expected) =>
    sameList(dnsNames, expected.dnsNames) &&
    sameList(ipAddresses, expected.ipAddresses) &&
    subjectAltNames.length === dnsNames.length + ipAddresses.length,
  "has another authority key identifier": ({ authorityKeyId }, { issuer, subject }) =>
    sameBytes(authorityKeyId, keyIdUnder(issuer, subject)),
  "has ended, or begins too late": ({ notBefore, notAfter }, { now }) =>
    notBefore <= now && now < notAfter,
  "outlives its issuer": ({ notAfter }, { issuer }) => notAfter <= issuer.notAfter,
};

/**
 * Reads a finished leaf and lets it pass when it is in every respect what was to be issued.
 *
 * @throws {CertificateRefusedError} when it is not
 */
export async function passGate(der: Uint8Array, expected: LeafExpectation): Promise<Certificate> {
  const leaf = parseCertificate(der);
  const problems = Object.entries(checks)
    .filter(([, holds]) => !holds(leaf, expected))
    .map(([problem]) => problem);
  if (!(await signedBy(leaf, expected.issuer))) problems.push("is not signed by its issuer");
  if (problems.length > 0)
    throw new CertificateRefusedError(
      `the certificate for ${JSON.stringify(formatName(expected.subject))} ${problems.join(", ")}`,
    );
  return leaf;
}

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, index) => text === b[index]);

/** Bytes are the same, or both are absent. */
export const sameBytes = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
