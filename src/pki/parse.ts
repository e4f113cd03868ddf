/** Reads the DER of a certificate, RFC 5280 §4.1. */
import { hash } from "node:crypto";
import type { Certificate } from "./certificate.ts";
import { DerReader, wholeSequence } from "./der/reader.ts";
import { explicit, implicit, tags } from "./der/tags.ts";
import { readTime } from "./der/time.ts";
import { AlgorithmUnsupportedError, CertificateParseError, DerError } from "./errors.ts";
import { factsOf, readExtensions } from "./extensions.ts";
import { readPublicKey, signatureAlgorithmOf } from "./keys/algorithms.ts";
import { readName } from "./name.ts";
import { writePem } from "./pem.ts";

/**
 * Reads a certificate; the bytes are copied.
 *
 * @throws {CertificateParseError} when they are not one that RFC 5280 allows, or its algorithms are
 *   not in our tables; `cause` tells the two apart
 */
export function parseCertificate(der: Uint8Array): Certificate {
  try {
    return parse(new Uint8Array(der));
  } catch (error) {
    if (!(error instanceof DerError || error instanceof AlgorithmUnsupportedError)) throw error;
    throw new CertificateParseError(`not a readable certificate: ${error.message}`, {
      cause: error,
    });
  }
}

function parse(der: Uint8Array): Certificate {
  const outer = wholeSequence(der, "certificate");
  const tbs = outer.element(tags.sequence, "tbsCertificate");
  const identifier = outer.element(tags.sequence, "signatureAlgorithm");
  const signature = outer.octetBits("signature");
  outer.end("certificate");
  const fields = readTbs(wholeSequence(tbs, "tbsCertificate"));
  if (Buffer.compare(identifier, fields.identifier) !== 0)
    throw new DerError("signatureAlgorithm differs from the one that is signed");
  const signatureAlgorithm = signatureAlgorithmOf(identifier);
  const { version, serialNumber, subject, issuer, notBefore, notAfter, publicKey } = fields;
  let pem: string | undefined;
  let fingerprint: string | undefined;
  let spkiFingerprint: string | undefined;
  return Object.freeze({
    der,
    get pem() {
      return (pem ??= writePem("CERTIFICATE", der));
    },
    tbs,
    version,
    serialNumber,
    subject,
    issuer,
    notBefore,
    notAfter,
    signatureAlgorithm,
    signature,
    publicKey,
    extensions: fields.extensions,
    ...factsOf(fields.extensions),
    get fingerprint() {
      return (fingerprint ??= hash("sha256", der, "hex"));
    },
    get spkiFingerprint() {
      return (spkiFingerprint ??= hash("sha256", publicKey.spki, "base64"));
    },
  });
}

function readTbs(reader: DerReader) {
  const version = readVersion(reader);
  const serialNumber = reader.natural("serialNumber");
  const identifier = reader.element(tags.sequence, "signature");
  const issuer = readName(reader.element(tags.sequence, "issuer"));
  const validity = reader.sequence("validity");
  const notBefore = readTime(validity, "notBefore");
  const notAfter = readTime(validity, "notAfter");
  validity.end("validity");
  const subject = readName(reader.element(tags.sequence, "subject"));
  const publicKey = readPublicKey(reader.element(tags.sequence, "subjectPublicKeyInfo"));
  if (version > 1) {
    reader.optional(implicit(1), "issuerUniqueID");
    reader.optional(implicit(2), "subjectUniqueID");
  }
  const extensions = version === 3 ? readExtensionsField(reader) : [];
  reader.end("tbsCertificate");
  return {
    version,
    serialNumber,
    identifier,
    issuer,
    notBefore,
    notAfter,
    subject,
    publicKey,
    extensions,
  };
}

function readVersion(reader: DerReader): 1 | 2 | 3 {
  const field = reader.enterOptional(explicit(0), "version");
  if (field === undefined) return 1;
  const version = field.count("version", 2) + 1;
  field.end("version");
  return version as 1 | 2 | 3;
}

function readExtensionsField(reader: DerReader) {
  const field = reader.enterOptional(explicit(3), "extensions");
  if (field === undefined) return [];
  const extensions = readExtensions(field.sequence("extensions"));
  field.end("extensions");
  return extensions;
}
