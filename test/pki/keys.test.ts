import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  AlgorithmMismatchError,
  AlgorithmUnsupportedError,
  KeyEncryptedError,
  KeyParseError,
  PemError,
  PemLabelError,
  publicKeyPem,
  readPem,
  readPrivateKey,
  sameKey,
  talosPublicKeyPem,
  verifySignature,
  webCryptoKeys,
  writePem,
  type KeyAlgorithm,
} from "#pki";
import { demoRoots, demoServiceAccountKey } from "./demo.ts";
import { openssl } from "./openssl.ts";

const keys = webCryptoKeys();
const data = Buffer.from("to be signed");
const hex = (value: Uint8Array) => Buffer.from(value).toString("hex");

describe.each<[KeyAlgorithm, string, string]>([
  ["Ed25519", "ED25519 PRIVATE KEY", "Ed25519"],
  ["P-256", "EC PRIVATE KEY", "ECDSA-SHA256"],
  ["P-384", "EC PRIVATE KEY", "ECDSA-SHA384"],
  ["P-521", "EC PRIVATE KEY", "ECDSA-SHA512"],
  ["RSA-2048", "RSA PRIVATE KEY", "SHA512-RSA"],
])("a key of %s", (algorithm, label, signature) => {
  test("is written under Talos' label and read again", async () => {
    const key = await keys.issueKey(algorithm);
    const pem = await key.pem();
    expect(readPem(pem).map((block) => block.label)).toEqual([label]);
    const again = await keys.readKey(pem);
    expect(again.algorithm).toBe(algorithm);
    expect(sameKey(again.publicKey, key.publicKey)).toBe(true);
    expect(await again.pem()).toBe(pem);
  });

  test("signs by its usual algorithm, and by no other family's", async () => {
    const key = await keys.issueKey(algorithm);
    const signed = await key.sign(data);
    const by = signature as "Ed25519";
    expect(await verifySignature(key.publicKey, by, data, signed)).toBe(true);
    expect(await verifySignature(key.publicKey, by, Buffer.from("else"), signed)).toBe(false);
    const foreign = algorithm === "Ed25519" ? "ECDSA-SHA256" : "Ed25519";
    expect(await verifySignature(key.publicKey, foreign, data, signed)).toBe(false);
    await expect(key.sign(data, foreign)).rejects.toThrow(AlgorithmMismatchError);
  });

  test("is read by OpenSSL, which finds the same public key", async () => {
    const key = await keys.issueKey(algorithm);
    // OpenSSL does not know Talos' own label.
    const pem = (await key.pem()).replaceAll("ED25519 PRIVATE KEY", "PRIVATE KEY");
    expect(openssl(["pkey", "-in", "key.pem", "-pubout"], { "key.pem": pem })).toBe(
      publicKeyPem(key.publicKey),
    );
  });

  test("of OpenSSL's making is read from PKCS #8", async () => {
    const key = await keys.issueKey(algorithm);
    const pem = (await key.pem()).replaceAll("ED25519 PRIVATE KEY", "PRIVATE KEY");
    const pkcs8 = openssl(["pkcs8", "-topk8", "-nocrypt", "-in", "k.pem"], { "k.pem": pem });
    expect(readPem(pkcs8)[0]?.label).toBe("PRIVATE KEY");
    expect(await (await keys.readKey(pkcs8)).pem()).toBe(await key.pem());
  });
});

describe("talos-pki.md §2.5: encodings", () => {
  test.each(Object.entries(demoRoots))(
    "Talos' key of %s is written back byte for byte",
    async (_, pair) => {
      expect(await readPrivateKey(pair.key).pem()).toBe(pair.key);
    },
  );

  test("so is its service account key of 4096 bits", async () => {
    const key = readPrivateKey(demoServiceAccountKey);
    expect(key.algorithm).toBe("RSA-4096");
    expect(await key.pem()).toBe(demoServiceAccountKey);
  });

  test("Ed25519 is 48 bytes of PKCS #8, RFC 8410 §7", async () => {
    const [block] = readPem(await (await keys.issueKey("Ed25519")).pem());
    expect(block?.der).toHaveLength(48);
    expect(hex(block!.der)).toMatch(/^302e020100300506032b657004220420/);
  });

  test("EC names its curve and carries the public key, RFC 5915 §3", async () => {
    const key = await keys.issueKey("P-256");
    const parsed = openssl(["asn1parse", "-in", "k.pem"], { "k.pem": await key.pem() });
    expect(parsed).toMatch(/OBJECT\s+:prime256v1/);
    expect(parsed).toMatch(/cont \[ 1 \]/);
    expect(parsed).toMatch(/BIT STRING/);
  });

  test("public keys have Talos' labels or the standard's", async () => {
    const labels = async (algorithm: KeyAlgorithm) => {
      const { publicKey } = await keys.issueKey(algorithm);
      return [talosPublicKeyPem, publicKeyPem].map((write) => readPem(write(publicKey))[0]?.label);
    };
    expect(await labels("Ed25519")).toEqual(["ED25519 PUBLIC KEY", "PUBLIC KEY"]);
    expect(await labels("P-256")).toEqual(["EC PUBLIC KEY", "PUBLIC KEY"]);
    expect(await labels("RSA-2048")).toEqual(["PUBLIC KEY", "PUBLIC KEY"]);
  });

  test("parameters before an EC key, as OpenSSL writes them, are passed over", async () => {
    const pem = openssl(["ecparam", "-name", "prime256v1", "-genkey"]);
    expect(readPem(pem).map(({ label }) => label)).toEqual(["EC PARAMETERS", "EC PRIVATE KEY"]);
    expect((await keys.readKey(pem)).algorithm).toBe("P-256");
  });
});

describe("keys that are refused", () => {
  const encrypted = (type: "pkcs1" | "pkcs8") =>
    generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type, format: "pem", cipher: "aes-256-cbc", passphrase: "x" },
    }).privateKey;

  test.each(["pkcs1", "pkcs8"] as const)("an encrypted one in %s", async (type) => {
    const reading = keys.readKey(encrypted(type), "machine.ca.key");
    await expect(reading).rejects.toThrow(KeyEncryptedError);
    await expect(reading).rejects.toThrow(/^machine\.ca\.key: the key is encrypted; decrypt it/);
  });

  test("a certificate in its place", async () => {
    const reading = keys.readKey(demoRoots.os.crt, "machine.ca.key");
    await expect(reading).rejects.toThrow(PemLabelError);
    await expect(reading).rejects.toThrow(/machine\.ca\.key: found a PEM block "CERTIFICATE"/);
  });

  test("no key at all", async () => {
    await expect(keys.readKey("")).rejects.toThrow(PemError);
  });

  test("a damaged one, of which nothing gets into the error", async () => {
    const [block] = readPem(demoRoots.kubernetes.key);
    const pem = writePem("EC PRIVATE KEY", block!.der.subarray(0, -1));
    const error = (await keys.readKey(pem, "ca.key").catch((e: unknown) => e)) as KeyParseError;
    expect(error).toBeInstanceOf(KeyParseError);
    expect(error.message).toBe("ca.key: not a readable private key");
    expect(error.cause).toBeUndefined();
  });

  test.each(["secp256k1", "secp224r1"])("one on the curve %s", async (namedCurve) => {
    const { privateKey } = generateKeyPairSync("ec", {
      namedCurve,
      privateKeyEncoding: { type: "sec1", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    await expect(keys.readKey(privateKey)).rejects.toThrow(AlgorithmUnsupportedError);
  });

  test.each(["RSA-1024", "RSA-8192", "RSA-0"] as const)("%s is not made", async (algorithm) => {
    await expect(keys.issueKey(algorithm)).rejects.toThrow(AlgorithmUnsupportedError);
  });
});

test("making an RSA key does not stall the process", async () => {
  const making = { done: false, turns: 0 };
  const turn = () => {
    making.turns++;
    if (!making.done) setImmediate(turn);
  };
  turn();
  const key = await keys.issueKey("RSA-3072").finally(() => (making.done = true));
  expect(key.algorithm).toBe("RSA-3072");
  expect(making.turns).toBeGreaterThan(100);
});
