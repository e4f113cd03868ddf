/** Certificate requests, RFC 2986, by the rules of talos-pki.md §2.2. */
import { isDnsName } from "./address.ts";
import { DerReader, wholeSequence } from "./der/reader.ts";
import { explicit, tags } from "./der/tags.ts";
import { element, natural, octetBits, oid, sequence, setOf } from "./der/writer.ts";
import {
  AlgorithmUnsupportedError,
  CsrRejectedError,
  CsrSignatureError,
  DerError,
} from "./errors.ts";
import { altNameExtension, factsOf, readExtensions } from "./extensions.ts";
import {
  defaultSignature,
  readPublicKey,
  rsaBitsOf,
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

/** A longer text is refused unread: room for the largest key, and for two thousand names. */
const TEXT_MAX = 1 << 16;
/** Shorter keys can be broken; they are read in certificates only. */
const RSA_BITS_MIN = 2048;

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
 * @throws {CsrRejectedError} when the request is too long, damaged, for a key that is too weak or for a
 *   name that is none
 * @throws {CsrSignatureError} when its key did not sign it
 */
export async function readCsr(pem: string, source = "certificate request"): Promise<Csr> {
  if (pem.length > TEXT_MAX)
    throw new CsrRejectedError(`${source}: has ${pem.length} characters; ${TEXT_MAX} are the most`);
  const { der } = pemOf(pem, labels, source);
  try {
    const { csr, info, signature } = parseCsr(der);
    if (await verifySignature(csr.publicKey, csr.signatureAlgorithm, info, signature)) return csr;
  } catch (error) {
    if (!(error instanceof DerError || error instanceof AlgorithmUnsupportedError)) throw error;
    throw new CsrRejectedError(`${source}: ${error.message}`, { cause: error });
  }
  throw new CsrSignatureError(`${source}: is not signed by the key that it is for`);
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
  const publicKey = strongEnough(readPublicKey(fields.element(tags.sequence, "public key")));
  const attributes = fields.enterOptional(ATTRIBUTES, "attributes");
  const names = attributes && requestedNames(attributes);
  fields.end("request information");

  const csr: Csr = {
    der,
    subject: printable(buildName(nameParts(subject))),
    publicKey,
    signatureAlgorithm,
    dnsNames: (names?.dnsNames ?? []).map(certifiable),
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

function strongEnough(key: PublicKey): PublicKey {
  const bits = rsaBitsOf(key.algorithm);
  if (bits !== undefined && bits < RSA_BITS_MIN)
    throw new AlgorithmUnsupportedError(
      `an RSA key of ${bits} bits is too short; it needs ${RSA_BITS_MIN}`,
    );
  return key;
}

/** Whoever cuts a text at a NUL would take it for another one. */
function printable(subject: Name): Name {
  const bad = subject.attributes.find(({ value }) => /\p{Cc}/u.test(value));
  if (bad !== undefined)
    throw new DerError(`the subject has a control character in ${JSON.stringify(bad.value)}`);
  return subject;
}

function certifiable(name: string): string {
  if (!isDnsName(name))
    throw new DerError(`${JSON.stringify(name)} is not a DNS name that can be certified`);
  return name;
}
