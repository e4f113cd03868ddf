/** Certificates as somebody else reads them: by node:crypto, which shares no code with ours. */
import { type KeyObject, X509Certificate } from "node:crypto";
import { instantOf, type Instant } from "#runtime";

/** What a property needs of a certificate; what takes its time is found out when it is asked for. */
export interface Facts {
  readonly certificate: X509Certificate;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** Issuer and serial number, which no two may share. */
  readonly identity: string;
  readonly publicKey: KeyObject;
  /** SHA-256. */
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
    facts = read(new X509Certificate(pem));
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(pem, facts);
  }
  return facts;
}

/** Node asks OpenSSL anew for each of these each time. */
function read(certificate: X509Certificate): Facts {
  let [publicKey, fingerprint]: [KeyObject?, string?] = [];
  return {
    certificate,
    notBefore: instantOf(Date.parse(certificate.validFrom)),
    notAfter: instantOf(Date.parse(certificate.validTo)),
    identity: `${certificate.issuer} ${certificate.serialNumber}`,
    get publicKey() {
      return (publicKey ??= certificate.publicKey);
    },
    get fingerprint() {
      return (fingerprint ??= certificate.fingerprint256);
    },
    verdicts: new Map(),
  };
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
