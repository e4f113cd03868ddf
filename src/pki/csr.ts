/** Certificate requests, RFC 2986, by the rules of talos-pki.md §2.2. */
import { DerReader, wholeSequence } from "./der/reader.ts";
import { explicit, tags } from "./der/tags.ts";
import { element, natural, octetBits, oid, sequence, setOf } from "./der/writer.ts";
import { AlgorithmUnsupportedError, CsrRejectedError, DerError } from "./errors.ts";
import { altNameExtension, factsOf, readExtensions } from "./extensions.ts";
import {
  defaultSignature,
  readPublicKey,
  signatureAlgorithmOf,
  signatureAlgorithms,
} from "./keys/algorithms.ts";
import type { PrivateKey, PublicKey, SignatureAlgorithm } from "./keys/key.ts";
import { verifySignature } from "./keys/public-key.ts";
import { buildName, nameParts, readName, type Name } from "./name.ts";
import { EXTENSION_REQUEST, extensionOids } from "./oids.ts";
import { pemOf, writePem } from "./pem.ts";

/** What a signer takes from a request; the rest of it is not looked at. */
export interface Csr {
  readonly der: Uint8Array;
  /** Only its attributes of known kinds, as a certificate would have them. */
  readonly subject: Name;
  readonly publicKey: PublicKey;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

const LABEL = "CERTIFICATE REQUEST";
const labels = [LABEL, "NEW CERTIFICATE REQUEST"];
const ATTRIBUTES = explicit(0);

/**
 * Writes a request that is signed by its key.
 *
 * @returns one CERTIFICATE REQUEST block
 * @throws {AltNameInvalidError} when a name is neither a DNS name nor an address
 */
export async function issueCsr(o: {
  readonly key: PrivateKey;
  readonly subject: Name;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}): Promise<string> {
  const { key, subject } = o;
  const names = altNameExtension(o, subject.attributes.length === 0);
  const attributes = names ? [sequence(oid(EXTENSION_REQUEST), setOf([sequence(names)]))] : [];
  const info = sequence(
    natural(0n),
    subject.der,
    key.publicKey.spki,
    element(ATTRIBUTES, ...attributes),
  );
  const algorithm = defaultSignature(key.algorithm);
  const signature = await key.sign(info, algorithm);
  const { identifier } = signatureAlgorithms[algorithm];
  return writePem(LABEL, sequence(info, identifier, octetBits(signature)));
}

/**
 * Reads a request and verifies its signature.
 *
 * @throws {PemError} when there is no block
 * @throws {PemLabelError} when the block is something else
 * @throws {CsrRejectedError} when the request is damaged, or its key did not sign it
 */
export async function readCsr(pem: string, source = "certificate request"): Promise<Csr> {
  const { der } = pemOf(pem, labels, source);
  try {
    const { csr, info, signature } = parseCsr(der);
    if (await verifySignature(csr.publicKey, csr.signatureAlgorithm, info, signature)) return csr;
  } catch (error) {
    if (!(error instanceof DerError || error instanceof AlgorithmUnsupportedError)) throw error;
    throw new CsrRejectedError(`${source}: ${error.message}`, { cause: error });
  }
  throw new CsrRejectedError(`${source}: is not signed by the key that it is for`);
}

function parseCsr(der: Uint8Array) {
  const outer = wholeSequence(der, "certificate request");
  const info = outer.element(tags.sequence, "request information");
  const signatureAlgorithm = signatureAlgorithmOf(
    outer.element(tags.sequence, "signatureAlgorithm"),
  );
  const signature = outer.octetBits("signature");
  outer.end("certificate request");

  const fields = wholeSequence(info, "request information");
  fields.count("version", 0);
  const subject = readName(fields.element(tags.sequence, "subject"));
  const publicKey = readPublicKey(fields.element(tags.sequence, "public key"));
  const attributes = fields.enterOptional(ATTRIBUTES, "attributes");
  const names = attributes && requestedNames(attributes);
  fields.end("request information");

  const csr: Csr = {
    der,
    subject: buildName(nameParts(subject)),
    publicKey,
    signatureAlgorithm,
    dnsNames: names?.dnsNames ?? [],
    ipAddresses: names?.ipAddresses ?? [],
  };
  return { csr, info, signature };
}

/** What the one attribute that counts says of names. */
function requestedNames(attributes: DerReader) {
  const requested = [];
  while (!attributes.done) {
    const attribute = attributes.sequence("attribute");
    const type = attribute.oid("attribute type");
    const values = attribute.enter(tags.set, "attribute values");
    attribute.end("attribute");
    if (type !== EXTENSION_REQUEST) continue;
    requested.push(...readExtensions(values.sequence("extensions")));
    values.end("attribute values");
  }
  const names = requested.filter(({ oid }) => oid === extensionOids.subjectAltName);
  if (names.length > 1) throw new DerError("the request has several lists of names");
  return factsOf(names);
}
