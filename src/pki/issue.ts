/** Builds and signs certificates by the rules of talos-pki.md §2.1. */
import type { Instant, Random } from "#runtime";
import type { Certificate, KeyUsage } from "./certificate.ts";
import { time } from "./der/time.ts";
import { element, explicit, natural, octetBits, sequence } from "./der/writer.ts";
import {
  altNameExtension,
  authorityKeyIdExtension,
  basicConstraintsExtension,
  extKeyUsageExtension,
  keyUsageExtension,
  subjectKeyIdExtension,
} from "./extensions.ts";
import { defaultSignature, signatureAlgorithms } from "./keys/algorithms.ts";
import type { PrivateKey, PublicKey, SignatureAlgorithm } from "./keys/key.ts";
import { sameName, type Name } from "./name.ts";
import { parseCertificate } from "./parse.ts";

/** A certificate that issues others, and its key. */
export interface Authority {
  readonly certificate: Certificate;
  readonly key: PrivateKey;
}

/** What a certificate shall say. */
export interface CertificateRequest {
  readonly issuer: Authority | "self";
  /** Signs where the issuer is `self`. */
  readonly key?: PrivateKey;
  readonly subject: Name;
  readonly publicKey: PublicKey;
  /** What is below a second is cut off, here and of `notAfter`. */
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly keyUsages: readonly KeyUsage[];
  readonly extKeyUsages: readonly string[];
  readonly ca?: boolean;
  readonly subjectKeyId?: Uint8Array;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** By default the usual one of the issuer's key. */
  readonly signatureAlgorithm?: SignatureAlgorithm;
  readonly random: Random;
}

/**
 * Issues a certificate as asked; whether that is wise is the caller's business.
 *
 * @throws {AltNameInvalidError} when a name is neither a DNS name nor an address
 * @throws {AlgorithmMismatchError} when the issuer's key cannot sign by the algorithm
 * @see RFC 5280 §4.1, talos-pki.md §2.1
 */
export async function issueCertificate(request: CertificateRequest): Promise<Certificate> {
  return parseCertificate(await signCertificate(request));
}

/** The DER of {@link issueCertificate}, for whoever reads it anyway. */
export async function signCertificate(request: CertificateRequest): Promise<Uint8Array> {
  const { issuer, subject } = request;
  const key = issuer === "self" ? request.key : issuer.key;
  if (key === undefined) throw new TypeError("a self-signed certificate needs its key");
  const algorithm = request.signatureAlgorithm ?? defaultSignature(key.algorithm);
  const { identifier } = signatureAlgorithms[algorithm];
  const tbs = sequence(
    element(explicit(0), natural(2n)),
    natural(serialNumber(request.random)),
    identifier,
    // The very bytes of the issuer's subject: chains are built by comparing them.
    issuer === "self" ? subject.der : issuer.certificate.subject.der,
    sequence(time(request.notBefore), time(request.notAfter)),
    subject.der,
    request.publicKey.spki,
    element(explicit(3), sequence(...extensionsOf(request))),
  );
  return sequence(tbs, identifier, octetBits(await key.sign(tbs, algorithm)));
}

/** 128 random bits; zero is not a serial number, RFC 5280 §4.1.2.2. */
function serialNumber(random: Random): bigint {
  for (;;) {
    const serial = BigInt(`0x${Buffer.from(random.bytes(16)).toString("hex")}`);
    if (serial > 0n) return serial;
  }
}

function extensionsOf(request: CertificateRequest): Uint8Array[] {
  const { issuer, subject, keyUsages, extKeyUsages, ca = false, subjectKeyId } = request;
  const authorityKeyId = issuer === "self" ? undefined : keyIdUnder(issuer.certificate, subject);
  const extensions = [
    keyUsages.length > 0 && keyUsageExtension(keyUsages),
    extKeyUsages.length > 0 && extKeyUsageExtension(extKeyUsages),
    ca && basicConstraintsExtension(),
    subjectKeyId && subjectKeyIdExtension(subjectKeyId),
    authorityKeyId && authorityKeyIdExtension(authorityKeyId),
    altNameExtension(request, subject.attributes.length === 0),
  ];
  return extensions.filter((extension) => extension instanceof Uint8Array);
}

/**
 * The authority key identifier that a certificate of `subject` carries under `issuer`: none when the
 * issuer has no identifier, or both have the same name.
 */
export const keyIdUnder = (issuer: Certificate, subject: Name): Uint8Array | undefined =>
  sameName(issuer.subject, subject) ? undefined : issuer.subjectKeyId;
