/**
 * Keys that are the same for the same seed, and signatures that are the same for the same bytes: those
 * of Ed25519 and RSA are so by themselves, ECDSA takes its nonce from key and message (RFC 6979).
 */
import { createHash, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import {
  AlgorithmMismatchError,
  AlgorithmUnsupportedError,
  familyOf,
  type KeyAlgorithm,
  type KeyFamily,
  type KeyProvider,
  type PrivateKey,
  type PublicKey,
  readPrivateKey,
  type SignatureAlgorithm,
  softwareKey,
  writePem,
} from "#pki";
import type { Random } from "#runtime";
import { rsaKeys } from "./rsa-keys.ts";

interface Seed {
  readonly random: Random;
  /** Told of everything that is signed. */
  readonly onSigned: (data: Uint8Array) => void;
}

type Sign = PrivateKey["sign"];

/** Keys by a stream of chance. Not for anything but simulation. */
export function seededKeys({ random, onSigned }: Seed): KeyProvider {
  const told = (key: PrivateKey): PrivateKey => ({
    ...key,
    sign(data, algorithm) {
      onSigned(data);
      return key.sign(data, algorithm);
    },
  });
  return {
    async issueKey(algorithm) {
      const { pem, key, publicKey } = issuers[familyOf(algorithm)](algorithm, random);
      return told(keep(pem, softwareKey(key, { publicKey })));
    },
    async readKey(pem, source) {
      return told(known.get(pem) ?? keep(pem, readPrivateKey(pem, source)));
    },
  };
}

/** Those that were read or made lately; each process of each simulated node reads its own again. */
const known = new Map<string, PrivateKey>();
const KNOWN_MAX = 1024;

function keep(pem: string, key: PrivateKey): PrivateKey {
  const kept = { ...deterministic(key, pem), pem: async () => pem };
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(pem, kept);
  return kept;
}

const deterministic = (key: PrivateKey, pem: string): PrivateKey => ({
  ...key,
  sign: signers[familyOf(key.algorithm)](key, pem),
});

const signers: Readonly<Record<KeyFamily, (key: PrivateKey, pem: string) => Sign>> = {
  Ed25519: (key) => (data, algorithm) => key.sign(data, algorithm),
  EC({ algorithm: curve }, pem) {
    const { ecdsa, digest } = curveOf(curve);
    const { d = "" } = createPrivateKey(pem).export({ format: "jwk" });
    const secret = new Uint8Array(Buffer.from(d, "base64url"));
    return async (data, algorithm) => {
      const hash = digestOf(algorithm, "ECDSA-SHA", curve) ?? digest;
      const hashed = new Uint8Array(createHash(hash).update(data).digest());
      return ecdsa.sign(hashed, secret, { prehash: false, format: "der" });
    };
  },
  RSA({ algorithm: kind }, pem) {
    const key = createPrivateKey(pem);
    return async (data, algorithm) => {
      const match = /^SHA(\d+)-RSA$/.exec(algorithm ?? "SHA512-RSA");
      if (match === null) throw mismatch(kind, algorithm);
      return new Uint8Array(sign(`sha${match[1] ?? ""}`, data, key)); // at once, on no other thread
    };
  },
};

function digestOf(algorithm: SignatureAlgorithm | undefined, prefix: string, kind: KeyAlgorithm) {
  if (algorithm === undefined) return undefined;
  if (!algorithm.startsWith(prefix)) throw mismatch(kind, algorithm);
  return `sha${algorithm.slice(prefix.length)}`;
}

const mismatch = (kind: KeyAlgorithm, algorithm = "") =>
  new AlgorithmMismatchError(`a key of type ${kind} cannot sign by ${algorithm}`);

const curves = {
  "P-256": { ecdsa: p256, digest: "sha256" },
  "P-384": { ecdsa: p384, digest: "sha384" },
  "P-521": { ecdsa: p521, digest: "sha512" },
};

const curveOf = (algorithm: KeyAlgorithm) => curves[algorithm as keyof typeof curves];

/** RFC 8410 §7 and §4: what stands before the 32 bytes of an Ed25519 key, private and public. */
const ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const ED25519_PUBLIC = Buffer.from("302a300506032b6570032100", "hex");

/** A new key, its PEM with the label that Talos gives it, and its public key where that is known. */
interface Issued {
  readonly pem: string;
  readonly key: KeyObject;
  readonly publicKey?: PublicKey;
}

const issuers: Readonly<Record<KeyFamily, (algorithm: KeyAlgorithm, random: Random) => Issued>> = {
  Ed25519(_, random) {
    const secret = Buffer.from(random.bytes(32));
    // As a JWK it passes none of OpenSSL's decoders, which take longer than all else here; its public
    // half is not looked at.
    const jwk = { kty: "OKP", crv: "Ed25519", d: secret.toString("base64url"), x: "" };
    const key = createPrivateKey({ key: jwk, format: "jwk" });
    const { x = "" } = key.export({ format: "jwk" });
    const spki = new Uint8Array(Buffer.concat([ED25519_PUBLIC, Buffer.from(x, "base64url")]));
    const pem = writePem("ED25519 PRIVATE KEY", Buffer.concat([ED25519, secret]));
    return { pem, key, publicKey: { algorithm: "Ed25519", spki } };
  },
  EC(algorithm, random) {
    const { ecdsa } = curveOf(algorithm);
    const secret = ecdsa.utils.randomSecretKey(random.bytes(ecdsa.lengths.seed ?? 0));
    const point = ecdsa.getPublicKey(secret, false).subarray(1);
    const half = point.length / 2;
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
    const [x, y] = [text(point.subarray(0, half)), text(point.subarray(half))];
    const jwk = { kty: "EC", crv: algorithm, d: text(secret), x, y };
    const key = createPrivateKey({ key: jwk, format: "jwk" });
    return { pem: writePem("EC PRIVATE KEY", key.export({ type: "sec1", format: "der" })), key };
  },
  RSA(algorithm, random) {
    const all = rsaKeys[algorithm] ?? [];
    const [byte = 0] = random.bytes(1);
    const pem = all[byte % all.length];
    if (pem === undefined)
      throw new AlgorithmUnsupportedError(`a simulation has no keys of type ${algorithm}`);
    return { pem, key: createPrivateKey(pem) };
  },
};
