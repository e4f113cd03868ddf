import { describe, expect, test } from "vitest";
import { after, at, hours, minutes, systemRandom, type Random } from "#runtime";
import {
  authorityPem,
  authorityProfiles,
  formatName,
  issueAuthority,
  issueCertificate,
  KeyMismatchError,
  NotAuthorityError,
  PemLabelError,
  readAuthority,
  signedBy,
  SKEW,
  webCryptoKeys,
} from "#pki";
import { demoRoots } from "./demo.ts";
import { openssl } from "./openssl.ts";

const keys = webCryptoKeys();
const now = at("2030-01-01");
const random = systemRandom;
const hex = (value: Uint8Array) => Buffer.from(value).toString("hex");
/** Gives bytes that all are `octet`. */
const always = (octet: number): Random => ({
  bytes: (length) => new Uint8Array(length).fill(octet),
});

test("talos-pki.md §2.1: an authority of Talos, byte for byte", async () => {
  const { certificate } = await issueAuthority(authorityProfiles.os, {
    keys,
    now: after(now, minutes(15)),
    random: always(0x11),
  });
  const name = "3010310e300c060355040a130574616c6f73";
  const tbs = [
    "a003020102",
    `0210${"11".repeat(16)}`,
    "300506032b6570",
    name,
    `301e170d${Buffer.from("300101000000Z").toString("hex")}`,
    `170d${Buffer.from("391230000000Z").toString("hex")}`,
    name,
    hex(certificate.publicKey.spki),
    "a361305f",
    "300e0603551d0f0101ff040403020284",
    "301d0603551d250416301406082b0601050507030106082b06010505070302",
    "300f0603551d130101ff040530030101ff",
    `301d0603551d0e04160414${"11".repeat(20)}`,
  ].join("");
  expect(certificate.der).toHaveLength(322);
  expect(hex(certificate.der)).toBe(
    `3082013e3081f1${tbs}300506032b6570034100${hex(certificate.signature)}`,
  );
});

test("a serial number whose first bit is set is positive all the same", async () => {
  const { certificate } = await issueAuthority(authorityProfiles.os, {
    keys,
    now,
    random: always(0xff),
  });
  expect(hex(certificate.der)).toContain(`021100${"ff".repeat(16)}`);
  expect(certificate.serialNumber).toBe((1n << 128n) - 1n);
});

test("a serial number of zero is drawn again", async () => {
  let draws = 0;
  const dice = { bytes: (length: number) => new Uint8Array(length).fill(draws++ > 0 ? 5 : 0) };
  const key = await keys.issueKey("Ed25519");
  const certificate = await issueCertificate({
    issuer: "self",
    key,
    subject: (await issueAuthority(authorityProfiles.os, { keys, now, random })).certificate
      .subject,
    publicKey: key.publicKey,
    notBefore: now,
    notAfter: after(now, hours(1)),
    keyUsages: [],
    extKeyUsages: ["serverAuth"],
    random: dice,
  });
  expect(hex(certificate.der)).toContain(`0210${"05".repeat(16)}`);
});

describe("talos-pki.md §2.3: authorities", () => {
  test.each([
    ["os", "O = talos", "Ed25519", "ED25519", 87_600],
    ["kubernetes", "O = kubernetes", "P-256", "ecdsa-with-SHA256", 87_600],
    ["etcd", "O = etcd", "P-256", "ecdsa-with-SHA256", 87_600],
    ["aggregator", "", "P-256", "ecdsa-with-SHA256", 87_600],
    ["maintenance", "", "Ed25519", "ED25519", 24],
  ] as const)("%s", async (name, subject, key, signature, life) => {
    const { certificate: ca } = await issueAuthority(authorityProfiles[name], {
      keys,
      now,
      random,
    });
    expect(formatName(ca.subject)).toBe(subject);
    expect(ca.publicKey.algorithm).toBe(key);
    expect(ca.notBefore).toBe(now - SKEW);
    expect(ca.notAfter - ca.notBefore).toBe(hours(life));
    expect(await signedBy(ca, ca)).toBe(true);
    const text = openssl(["x509", "-in", "ca.pem", "-noout", "-text"], { "ca.pem": ca.pem });
    expect(text).toContain("Version: 3 (0x2)");
    expect(text).toContain(`Signature Algorithm: ${signature}`);
    expect(text).toMatch(/X509v3 Key Usage: critical\n\s+Digital Signature, Certificate Sign\n/);
    expect(text).toMatch(
      /X509v3 Extended Key Usage: \n\s+TLS Web Server Authentication, TLS Web Client Authentication\n/,
    );
    expect(text).toMatch(/X509v3 Basic Constraints: critical\n\s+CA:TRUE\n/);
    expect(text).toMatch(/X509v3 Subject Key Identifier: \n/);
    expect(text).not.toContain("Authority Key Identifier");
    const attime = String(now / 1000);
    const verify = ["verify", "-attime", attime, "-CAfile", "ca.pem", "ca.pem"];
    expect(openssl(verify, { "ca.pem": ca.pem })).toBe("ca.pem: OK\n");
  });

  test("two of one kind differ in serial number, key and key identifier", async () => {
    const [a, b] = await Promise.all(
      [0, 1].map(() => issueAuthority(authorityProfiles.os, { keys, now, random })),
    );
    expect(a!.certificate.serialNumber).not.toBe(b!.certificate.serialNumber);
    expect(a!.certificate.subjectKeyId).not.toEqual(b!.certificate.subjectKeyId);
    expect(a!.certificate.spkiFingerprint).not.toBe(b!.certificate.spkiFingerprint);
  });
});

describe("authorities that are read", () => {
  test("those of a bundle, and what we write", async () => {
    for (const pair of Object.values(demoRoots))
      expect(await authorityPem(await readAuthority(pair, keys))).toEqual(pair);
  });

  test("the key of another is refused", async () => {
    const mixed = { crt: demoRoots.kubernetes.crt, key: demoRoots.etcd.key };
    const reading = readAuthority(mixed, keys, "cluster.ca");
    await expect(reading).rejects.toThrow(KeyMismatchError);
    await expect(reading).rejects.toThrow(/^cluster\.ca: the key is not that of .*O = kubernetes/);
  });

  test("a leaf in its place is refused", async () => {
    const issuer = await readAuthority(demoRoots.os, keys);
    const key = await keys.issueKey("Ed25519");
    const leaf = await issueCertificate({
      issuer,
      subject: issuer.certificate.subject,
      publicKey: key.publicKey,
      notBefore: now,
      notAfter: after(now, hours(1)),
      keyUsages: ["digitalSignature"],
      extKeyUsages: ["clientAuth"],
      random,
    });
    const reading = readAuthority({ crt: leaf.pem, key: await key.pem() }, keys, "machine.ca");
    await expect(reading).rejects.toThrow(NotAuthorityError);
    await expect(reading).rejects.toThrow(/^machine\.ca: .* is not that of an authority/);
  });

  test("certificate and key that have changed places are refused", async () => {
    const { crt, key } = demoRoots.os;
    await expect(readAuthority({ crt: key, key: crt }, keys)).rejects.toThrow(PemLabelError);
  });
});
