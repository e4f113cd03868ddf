import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import {
  authorityPem,
  authorityProfiles,
  fingerprintsOf,
  issueAuthority,
  leafIssuer,
  leafProfiles,
  parseCertificate,
  readCertificate,
  webCryptoKeys,
} from "#pki";
import { systemClock, systemRandom as random } from "#runtime";
import { natural, octetBits, sequence } from "../../src/pki/der/writer.ts";
import { DerReader } from "../../src/pki/der/reader.ts";

const keys = webCryptoKeys();
const now = systemClock.now();
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

const issue = async (root: keyof typeof authorityProfiles) => {
  const issuer = await issueAuthority(authorityProfiles[root], { keys, random, now });
  const authority = await authorityPem(issuer);
  const issueLeaf = leafIssuer({ keys, random });
  const leaf = await issueLeaf({ profile: leafProfiles.talosClient, authority, now });
  return { authority, leaf: readCertificate(leaf.crt) };
};

test("a certificate whose ECDSA signature was rewritten is known by its other fingerprint", async () => {
  const { authority, leaf } = await issue("etcd");
  expect(leaf.signatureAlgorithm).toBe("ECDSA-SHA256");
  const pair = new DerReader(leaf.signature).sequence("signature");
  const [r, s] = [pair.natural("r"), pair.natural("s")];
  const identifier = leaf.der
    .subarray(leaf.der.length - leaf.signature.length - 3 - 12)
    .subarray(0, 12);
  const twin = parseCertificate(
    sequence(leaf.tbs, identifier, octetBits(sequence(natural(r), natural(N - s)))),
  );
  // It is as good as the first, by somebody else's judgement.
  const { publicKey } = new X509Certificate(authority.crt);
  expect(new X509Certificate(twin.der).verify(publicKey)).toBe(true);
  expect(twin.fingerprint).not.toBe(leaf.fingerprint);
  expect(fingerprintsOf(twin)).toContain(leaf.fingerprint);
  expect(fingerprintsOf(leaf)).toContain(twin.fingerprint);
});

test("an Ed25519 signature is written in one way", async () => {
  const { leaf } = await issue("os");
  expect(fingerprintsOf(leaf)).toEqual([leaf.fingerprint]);
});
