/** X.509 certificates as values: what RFC 5280 §4.1 says of each field, read once and then frozen. */
import type { Instant } from "#runtime";
import { CertificateParseError } from "./errors.ts";
import type { GeneralName, GeneralSubtree } from "./general-name.ts";
import type { PublicKey, SignatureAlgorithm } from "./keys/key.ts";
import type { Name } from "./name.ts";
import { parseCertificate } from "./parse.ts";
import { pemOf, readPem } from "./pem.ts";

/** The bits of the keyUsage extension, RFC 5280 §4.2.1.3. */
export type KeyUsage =
  | "digitalSignature"
  | "contentCommitment"
  | "keyEncipherment"
  | "dataEncipherment"
  | "keyAgreement"
  | "keyCertSign"
  | "cRLSign"
  | "encipherOnly"
  | "decipherOnly";

/** One extension as it stands in the certificate; `value` is the content of extnValue. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** RFC 5280 §4.2.1.10. */
export interface NameConstraints {
  readonly permitted: readonly GeneralSubtree[];
  readonly excluded: readonly GeneralSubtree[];
}

/**
 * What the extensions say, merged; a list is empty where its extension is absent. Whether an
 * extension is there at all is told by `extensions` of the certificate.
 */
export interface ExtensionFacts {
  /** BasicConstraints says so. */
  readonly isCa: boolean;
  readonly pathLength?: number;
  readonly keyUsages: readonly KeyUsage[];
  /** `serverAuth`, `clientAuth`, or the dotted object identifier of any other. */
  readonly extKeyUsages: readonly string[];
  /** Every SAN in the order of the certificate; the next four are taken from it. */
  readonly subjectAltNames: readonly GeneralName[];
  readonly dnsNames: readonly string[];
  /** In canonical text, IPv6 as RFC 5952 writes it. */
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
  readonly subjectKeyId?: Uint8Array;
  readonly authorityKeyId?: Uint8Array;
  readonly nameConstraints?: NameConstraints;
  /** Identifiers of critical extensions that are not understood here. */
  readonly unknownCritical: readonly string[];
}

/** A certificate, RFC 5280 §4.1; byte fields are views of `der` and must not be written to. */
export interface Certificate extends ExtensionFacts {
  readonly der: Uint8Array;
  /** One CERTIFICATE block. */
  readonly pem: string;
  /** The signed part. */
  readonly tbs: Uint8Array;
  readonly version: 1 | 2 | 3;
  readonly serialNumber: bigint;
  readonly subject: Name;
  readonly issuer: Name;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  readonly publicKey: PublicKey;
  readonly extensions: readonly Extension[];
  /** SHA-256 of the DER, lower hex. */
  readonly fingerprint: string;
  /** SHA-256 of the subject's public key information, base64. */
  readonly spkiFingerprint: string;
}

/** Texts that were read lately; whoever looks at a resource again asks for the same ones again. */
const known = new Map<string, Certificate>();
const KNOWN_MAX = 512;

/**
 * Reads the first block of a PEM text, which has to be a certificate. A text that was read lately gives
 * the same object, of which what was found out before is still known.
 *
 * @param source names the file or field in errors
 * @throws {PemError} when there is no block, or it is damaged
 * @throws {PemLabelError} when the first block is something else
 * @throws {CertificateParseError} when the block is not a certificate
 */
export function readCertificate(pem: string, source?: string): Certificate {
  let certificate = known.get(pem);
  if (certificate !== undefined) return certificate;
  certificate = parseFrom(pemOf(pem, ["CERTIFICATE"], source).der, source);
  keepInMind(pem, certificate);
  return certificate;
}

/** A certificate that was just issued will be read soon. */
export function keepInMind(pem: string, certificate: Certificate): void {
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(pem, certificate);
}

/**
 * Reads every block of a PEM text; each has to be a certificate. A text without a block gives none.
 *
 * @throws {PemLabelError} when a block is something else
 * @throws {CertificateParseError} when a block is not a certificate
 */
export function readCertificates(pem: string, source?: string): Certificate[] {
  return readPem(pem, source).map((block) =>
    parseFrom(pemOf([block], ["CERTIFICATE"], source).der, source),
  );
}

function parseFrom(der: Uint8Array, source: string | undefined): Certificate {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (!(error instanceof CertificateParseError) || source === undefined) throw error;
    throw new CertificateParseError(`${source}: ${error.message}`, { cause: error });
  }
}

/** A serial number in lower hex with an even number of digits, as the status resources print it. */
export function serialHex(serial: bigint): string {
  const digits = serial.toString(16);
  return digits.length % 2 === 0 ? digits : `0${digits}`;
}
