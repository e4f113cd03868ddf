/** The default provider of keys: @peculiar/webcrypto, and node:crypto for RSA. */
import { createPrivateKey, generateKeyPair, type webcrypto } from "node:crypto";
import { promisify } from "node:util";
import { AlgorithmUnsupportedError } from "../errors.ts";
import { familyOf, type KeyFamily } from "./algorithms.ts";
import type { KeyAlgorithm, KeyProvider, PrivateKey } from "./key.ts";
import { readPrivateKey, softwareKey } from "./software-key.ts";

const RSA_BITS_MIN = 2048;
const RSA_BITS_MAX = 4096;

const issuers: Readonly<Record<KeyFamily, (algorithm: KeyAlgorithm) => Promise<PrivateKey>>> = {
  Ed25519: () => issueBySubtle({ name: "EdDSA", namedCurve: "Ed25519" }),
  EC: (algorithm) => issueBySubtle({ name: "ECDSA", namedCurve: algorithm }),
  async RSA(algorithm) {
    const bits = Number(algorithm.slice("RSA-".length));
    if (!(bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX))
      throw new AlgorithmUnsupportedError(
        `RSA keys are made with ${RSA_BITS_MIN} to ${RSA_BITS_MAX} bits, not as ${algorithm}`,
      );
    // On a thread of its own: @peculiar/webcrypto would stall the process for a second or two.
    const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: bits });
    return softwareKey(privateKey);
  },
};

async function issueBySubtle(algorithm: webcrypto.EcKeyGenParams): Promise<PrivateKey> {
  const subtle = await loadSubtle();
  const pair = await subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const der = await subtle.exportKey("pkcs8", pair.privateKey);
  return softwareKey(createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" }));
}

let subtle: Promise<webcrypto.SubtleCrypto> | undefined;

/** Its import takes longer than all else at the start of a command, so it waits for a first use. */
function loadSubtle(): Promise<webcrypto.SubtleCrypto> {
  subtle ??= import("@peculiar/webcrypto").then(
    ({ Crypto }) => (new Crypto() as unknown as webcrypto.Crypto).subtle,
  );
  return subtle;
}

/** Keys in software: Ed25519, P-256, P-384, P-521, and RSA of 2048 to 4096 bits. */
export function webCryptoKeys(): KeyProvider {
  return {
    issueKey: async (algorithm) => issuers[familyOf(algorithm)](algorithm),
    readKey: async (pem, source) => readPrivateKey(pem, source),
  };
}
