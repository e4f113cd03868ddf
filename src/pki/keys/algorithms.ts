/** Kinds of keys and signatures as tables; nothing outside of this file switches on a name. */
import { DerReader, wholeSequence } from "../der/reader.ts";
import { tags } from "../der/tags.ts";
import { nothing, oid, sequence } from "../der/writer.ts";
import { AlgorithmUnsupportedError, DerError } from "../errors.ts";
import type { KeyAlgorithm, PublicKey, SignatureAlgorithm } from "./key.ts";

/** Keys of one family sign by the same algorithms. */
export type KeyFamily = "Ed25519" | "EC" | "RSA";

interface SignatureRow {
  readonly family: KeyFamily;
  /** The digest of node:crypto; null where the algorithm has its own. */
  readonly digest: "sha256" | "sha384" | "sha512" | null;
  /** AlgorithmIdentifier in DER. */
  readonly identifier: Uint8Array;
}

const row = (family: KeyFamily, digest: SignatureRow["digest"], dotted: string): SignatureRow => ({
  family,
  digest,
  identifier: family === "RSA" ? sequence(oid(dotted), nothing()) : sequence(oid(dotted)),
});

/** RFC 8410 §6, RFC 5758 §3.2, RFC 4055 §5. */
export const signatureAlgorithms: Readonly<Record<SignatureAlgorithm, SignatureRow>> = {
  Ed25519: row("Ed25519", null, "1.3.101.112"),
  "ECDSA-SHA256": row("EC", "sha256", "1.2.840.10045.4.3.2"),
  "ECDSA-SHA384": row("EC", "sha384", "1.2.840.10045.4.3.3"),
  "ECDSA-SHA512": row("EC", "sha512", "1.2.840.10045.4.3.4"),
  "SHA256-RSA": row("RSA", "sha256", "1.2.840.113549.1.1.11"),
  "SHA384-RSA": row("RSA", "sha384", "1.2.840.113549.1.1.12"),
  "SHA512-RSA": row("RSA", "sha512", "1.2.840.113549.1.1.13"),
};

/** What leaves under an authority have, by the algorithm that signed it (talos-pki.md §2.1). */
export const leafKeys: Readonly<Record<KeyFamily, KeyAlgorithm>> = {
  Ed25519: "Ed25519",
  EC: "P-256",
  RSA: "RSA-4096",
};

const namesByIdentifier = new Map(
  Object.entries(signatureAlgorithms).map(([name, { identifier }]) => [
    Buffer.from(identifier).toString("hex"),
    name as SignatureAlgorithm,
  ]),
);

/** Reads an AlgorithmIdentifier of a signature, exact to the byte. */
export function signatureAlgorithmOf(identifier: Uint8Array): SignatureAlgorithm {
  const name = namesByIdentifier.get(Buffer.from(identifier).toString("hex"));
  if (name !== undefined) return name;
  const dotted = wholeSequence(identifier, "signatureAlgorithm").oid("signatureAlgorithm");
  throw new AlgorithmUnsupportedError(`signatures by algorithm ${dotted} are not supported`);
}

const curves = {
  "P-256": { oid: "1.2.840.10045.3.1.7", octets: 32, signature: "ECDSA-SHA256" },
  "P-384": { oid: "1.3.132.0.34", octets: 48, signature: "ECDSA-SHA384" },
  "P-521": { oid: "1.3.132.0.35", octets: 66, signature: "ECDSA-SHA512" },
} as const;

type Curve = keyof typeof curves;
const curveNames = Object.keys(curves) as Curve[];
const isCurve = (name: string): name is Curve => name in curves;

/** Curves that are met and not supported, by the names that people know. */
const otherCurves: Readonly<Record<string, string>> = {
  "1.2.840.10045.3.1.1": "P-192",
  "1.3.132.0.33": "P-224",
  "1.3.132.0.10": "secp256k1",
};

const RSA_BITS_MIN = 1024;
const RSA_BITS_MAX = 8192;

/** The family of a key. */
export const familyOf = (algorithm: KeyAlgorithm): KeyFamily =>
  isCurve(algorithm) ? "EC" : algorithm === "Ed25519" ? "Ed25519" : "RSA";

/** The size of an RSA key; undefined for any other. */
export const rsaBitsOf = (algorithm: KeyAlgorithm): number | undefined =>
  familyOf(algorithm) === "RSA" ? Number(algorithm.slice("RSA-".length)) : undefined;

const signaturesOf: Readonly<Record<KeyFamily, SignatureAlgorithm>> = {
  Ed25519: "Ed25519",
  EC: "ECDSA-SHA256",
  RSA: "SHA512-RSA",
};

/** What a key signs by when nothing else is asked for (talos-pki.md §2.2). */
export const defaultSignature = (algorithm: KeyAlgorithm): SignatureAlgorithm =>
  isCurve(algorithm) ? curves[algorithm].signature : signaturesOf[familyOf(algorithm)];

/** How a SubjectPublicKeyInfo is read, by the identifier of its algorithm. */
const spkiReaders: Readonly<
  Record<string, (parameters: DerReader, key: Uint8Array) => KeyAlgorithm>
> = {
  // RFC 8410 §4
  "1.3.101.112"(parameters, key) {
    parameters.end("parameters of an Ed25519 key");
    if (key.length !== 32) throw new DerError(`an Ed25519 key has ${key.length} octets`);
    return "Ed25519";
  },
  // RFC 5480 §2.1.1
  "1.2.840.10045.2.1"(parameters, key) {
    const dotted = parameters.oid("named curve");
    const name = curveNames.find((curve) => curves[curve].oid === dotted);
    if (name === undefined)
      throw new AlgorithmUnsupportedError(
        `keys on the curve ${otherCurves[dotted] ?? dotted} are not supported; ${curveNames.join(", ")} are`,
      );
    const { octets } = curves[name];
    const [form = 0] = key;
    const length = form === 4 ? 1 + 2 * octets : form === 2 || form === 3 ? 1 + octets : -1;
    if (key.length !== length) throw new DerError(`a ${name} key is no point`);
    return name;
  },
  // RFC 3279 §2.3.1
  "1.2.840.113549.1.1.1"(parameters, key) {
    if (parameters.read(tags.null, "parameters of an RSA key").length > 0)
      throw new DerError("parameters of an RSA key are not NULL");
    const numbers = wholeSequence(key, "RSA key");
    const modulus = numbers.natural("modulus");
    const exponent = numbers.natural("exponent");
    numbers.end("RSA key");
    const bits = modulus.toString(2).length;
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX || modulus % 2n === 0n)
      throw new AlgorithmUnsupportedError(`an RSA key of ${bits} bits is not supported`);
    if (exponent < 3n || exponent % 2n === 0n || exponent >= 1n << 32n)
      throw new AlgorithmUnsupportedError("an RSA key of such an exponent is not supported");
    return `RSA-${bits}`;
  },
};

/**
 * Reads a SubjectPublicKeyInfo.
 *
 * @throws {DerError} when the bytes are none
 * @throws {AlgorithmUnsupportedError} when the key is of a kind that is not in the table
 */
export function readPublicKey(spki: Uint8Array): PublicKey {
  const info = wholeSequence(spki, "public key");
  const parameters = info.sequence("algorithm of a public key");
  const dotted = parameters.oid("algorithm of a public key");
  const key = info.octetBits("public key");
  info.end("public key");
  const read = spkiReaders[dotted];
  if (read === undefined)
    throw new AlgorithmUnsupportedError(`keys of algorithm ${dotted} are not supported`);
  const algorithm = read(parameters, key);
  parameters.end("parameters of a public key");
  return { algorithm, spki };
}

/** Public keys are the same when their bytes are. */
export const sameKey = (a: PublicKey, b: PublicKey): boolean =>
  Buffer.compare(a.spki, b.spki) === 0;
