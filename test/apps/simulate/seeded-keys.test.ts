import { createPublicKey, verify } from "node:crypto";
import { type KeyAlgorithm, type SignatureAlgorithm, webCryptoKeys } from "#pki";
import { expect, test } from "vitest";
import { seededKeys } from "../../../src/apps/simulate/seeded-keys.ts";
import { seededRandom } from "#runtime/testing";

const data = new TextEncoder().encode("to be signed");
const keysOf = (seed: number, signed: Uint8Array[] = []) =>
  seededKeys({ random: seededRandom(seed), onSigned: (bytes) => signed.push(bytes) });

const rows: [KeyAlgorithm, SignatureAlgorithm, string | null][] = [
  ["Ed25519", "Ed25519", null],
  ["P-256", "ECDSA-SHA256", "sha256"],
  ["P-384", "ECDSA-SHA384", "sha384"],
  ["P-521", "ECDSA-SHA512", "sha512"],
  ["P-256", "ECDSA-SHA384", "sha384"],
  ["RSA-4096", "SHA512-RSA", "sha512"],
  ["RSA-2048", "SHA256-RSA", "sha256"],
];

test.each(rows)(
  "a seed gives one %s key, and %s one signature that others accept",
  async (algorithm, by, digest) => {
    const [one, two] = [await keysOf(1).issueKey(algorithm), await keysOf(1).issueKey(algorithm)];
    expect(await two.pem()).toBe(await one.pem());
    const signature = await one.sign(data, by);
    expect(await two.sign(data, by)).toEqual(signature);
    const key = createPublicKey({
      key: Buffer.from(one.publicKey.spki),
      format: "der",
      type: "spki",
    });
    expect(verify(digest, data, key, signature)).toBe(true);
  },
);

test("a key is read back as any other provider reads it", async () => {
  for (const [algorithm] of rows) {
    const keys = keysOf(2);
    const issued = await keys.issueKey(algorithm);
    const read = await webCryptoKeys().readKey(await issued.pem());
    expect(read.publicKey.spki).toEqual(issued.publicKey.spki);
    expect((await keys.readKey(await read.pem())).publicKey.spki).toEqual(issued.publicKey.spki);
  }
});

test("other seeds give other keys, and what is signed is told", async () => {
  const signed: Uint8Array[] = [];
  const key = await keysOf(1, signed).issueKey("Ed25519");
  expect(await (await keysOf(2).issueKey("Ed25519")).pem()).not.toBe(await key.pem());
  await key.sign(data);
  expect(signed).toEqual([data]);
});

test("a key does not sign by what is not its own", async () => {
  const key = await keysOf(1).issueKey("P-256");
  await expect(key.sign(data, "Ed25519")).rejects.toMatchObject({ code: "ERR_ALGORITHM_MISMATCH" });
  await expect(keysOf(1).issueKey("RSA-3072")).rejects.toMatchObject({
    code: "ERR_ALGORITHM_UNSUPPORTED",
  });
});
