/** Certificates as somebody else reads them: by node:crypto, which shares no code with ours. */
import { type KeyObject, X509Certificate } from "node:crypto";
import { instantOf, type Instant } from "#runtime";

/** What a property needs of a certificate. */
export interface Facts {
  readonly certificate: X509Certificate;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** Issuer and serial number, which no two may share. */
  readonly identity: string;
  readonly publicKey: KeyObject;
  /** SHA-256, of which Node makes a new text each time that it is asked. */
  readonly fingerprint: string;
  /** What is known of who issued it, by fingerprint. */
  readonly verdicts: Map<string, boolean>;
}

const KNOWN_MAX = 2048;
const known = new Map<string, Facts>();

/** Reads a PEM text, once as long as it is asked for again and again. */
export function factsOf(pem: string): Facts {
  let facts = known.get(pem);
  if (facts === undefined) {
    const certificate = new X509Certificate(pem);
    facts = {
      certificate,
      notBefore: instantOf(Date.parse(certificate.validFrom)),
      notAfter: instantOf(Date.parse(certificate.validTo)),
      identity: `${certificate.issuer} ${certificate.serialNumber}`,
      publicKey: certificate.publicKey,
      fingerprint: certificate.fingerprint256,
      verdicts: new Map(),
    };
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(pem, facts);
  }
  return facts;
}

/** Whether `authority` names itself the issuer of `leaf`, and signed it. */
export function isIssuedBy(leaf: Facts, authority: Facts): boolean {
  const { fingerprint } = authority;
  let verdict = leaf.verdicts.get(fingerprint);
  if (verdict === undefined) {
    verdict =
      leaf.certificate.checkIssued(authority.certificate) &&
      leaf.certificate.verify(authority.publicKey);
    leaf.verdicts.set(fingerprint, verdict);
  }
  return verdict;
}
