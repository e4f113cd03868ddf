/** Private keys in the memory of this process, which sign by node:crypto. */
import { createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";
import { CodedError } from "#runtime";
import {
  AlgorithmMismatchError,
  AlgorithmUnsupportedError,
  KeyEncryptedError,
  KeyParseError,
  PemError,
  PemLabelError,
} from "../errors.ts";
import { readPem, writePem, type PemBlock } from "../pem.ts";
import {
  defaultSignature,
  familyOf,
  readPublicKey,
  signatureAlgorithms,
  type KeyFamily,
} from "./algorithms.ts";
import type { PrivateKey, PublicKey, SignatureAlgorithm } from "./key.ts";

type Encoding = "pkcs1" | "sec1" | "pkcs8";

/** How keys are written, talos-pki.md §2.5. */
const forms: Readonly<Record<KeyFamily, { label: string; encoding: Encoding }>> = {
  Ed25519: { label: "ED25519 PRIVATE KEY", encoding: "pkcs8" },
  EC: { label: "EC PRIVATE KEY", encoding: "sec1" },
  RSA: { label: "RSA PRIVATE KEY", encoding: "pkcs1" },
};

const encodings: Readonly<Record<string, Encoding>> = {
  "PRIVATE KEY": "pkcs8",
  ...Object.fromEntries(Object.values(forms).map(({ label, encoding }) => [label, encoding])),
};

/** What OpenSSL puts before an EC key; the key itself says the same. */
const PREAMBLE = "EC PARAMETERS";

/**
 * Reads the first key of a PEM text, under any label of talos-pki.md §2.5.
 *
 * @throws {PemError} when there is no block
 * @throws {PemLabelError} when the first block is something else
 * @throws {KeyEncryptedError} when the key is encrypted
 * @throws {KeyParseError} when the key is damaged
 * @throws {AlgorithmUnsupportedError} when the key is of a kind that is not in the tables
 */
export function readPrivateKey(pem: string, source = "private key"): PrivateKey {
  const block = readPem(pem, source).find(({ label }) => label !== PREAMBLE);
  if (block === undefined) throw new PemError(`${source}: holds no PEM block with a key`);
  const encoding = encodings[block.label];
  if (block.label === "ENCRYPTED PRIVATE KEY" || (encoding && isEncrypted(block)))
    throw new KeyEncryptedError(`${source}: the key is encrypted; decrypt it first`);
  if (encoding === undefined) throw new PemLabelError(block.label, Object.keys(encodings), source);
  return softwareKey(decode(block.der, encoding, source), { source });
}

const isEncrypted = ({ headers = [] }: PemBlock) =>
  headers.some((header) => /^(Proc-Type|DEK-Info):/i.test(header));

function decode(der: Uint8Array, type: Encoding, source: string): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: "der", type });
  } catch {
    // Whatever OpenSSL says of it stays here: nothing of a key belongs in an error.
    throw new KeyParseError(`${source}: not a readable private key`);
  }
}

/** What is known of a key beforehand. */
interface Known {
  /** What errors call it. */
  readonly source?: string;
  /** Its public half, which otherwise is asked for. */
  readonly publicKey?: PublicKey | undefined;
}

/** A key of node:crypto behind our port. */
export function softwareKey(
  key: KeyObject,
  { source = "private key", publicKey = publicKeyOf(key, source) }: Known = {},
): PrivateKey {
  const { algorithm } = publicKey;
  const family = familyOf(algorithm);
  const usual = defaultSignature(algorithm);
  const { label, encoding } = forms[family];
  return Object.freeze({
    algorithm,
    publicKey,
    async sign(data: Uint8Array, by: SignatureAlgorithm = usual) {
      const { family: needed, digest } = signatureAlgorithms[by];
      if (needed !== family)
        throw new AlgorithmMismatchError(`a key of type ${algorithm} cannot sign by ${by}`);
      // A slow signature leaves the thread free; a fast one takes less than the way there.
      return plain(family === "RSA" ? await signAside(digest, data, key) : sign(digest, data, key));
    },
    async pem() {
      return writePem(
        label,
        key.export({ type: encoding, format: "der" } as { type: "pkcs8"; format: "der" }),
      );
    },
  });
}

const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

const signAside = (digest: string | null, data: Uint8Array, key: KeyObject) =>
  new Promise<Uint8Array>((resolve, reject) => {
    sign(digest, data, key, (error, signature) => {
      if (error) reject(error);
      else resolve(signature);
    });
  });

function publicKeyOf(key: KeyObject, source: string) {
  try {
    return readPublicKey(plain(createPublicKey(key).export({ type: "spki", format: "der" })));
  } catch (error) {
    if (error instanceof AlgorithmUnsupportedError)
      throw new AlgorithmUnsupportedError(`${source}: ${error.message}`, { cause: error });
    if (error instanceof CodedError)
      throw new KeyParseError(`${source}: not a readable private key`, { cause: error });
    throw new KeyParseError(`${source}: not a readable private key`);
  }
}
