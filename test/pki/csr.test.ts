import { describe, expect, test } from "vitest";
import { after, at, hours, systemRandom as random } from "#runtime";
import {
  AlgorithmMismatchError,
  AuthorityExpiredError,
  authorityProfiles,
  buildName,
  certifyCsr,
  CsrRejectedError,
  formatName,
  issueAuthority,
  issueCsr,
  leafProfiles,
  nameParts,
  PemLabelError,
  publicKeyPem,
  readCsr,
  readPem,
  webCryptoKeys,
  writePem,
  type KeyAlgorithm,
  type Name,
} from "#pki";
import {
  element,
  natural,
  octetBits,
  octetString,
  oid,
  sequence,
  setOf,
  string,
} from "../../src/pki/der/writer.ts";
import { demoRoots } from "./demo.ts";
import { openssl } from "./openssl.ts";

const keys = webCryptoKeys();
const now = at("2030-01-01");
const subject = buildName({ organizations: ["os:reader", "os:admin"], commonName: "a" });

describe("RFC 2986: requests that are written", () => {
  test.each<[KeyAlgorithm, string]>([
    ["Ed25519", "ED25519"],
    ["P-256", "ecdsa-with-SHA256"],
    ["P-384", "ecdsa-with-SHA384"],
    ["P-521", "ecdsa-with-SHA512"],
    ["RSA-2048", "sha512WithRSAEncryption"],
  ])("with a key of %s are signed by %s", async (algorithm, signature) => {
    const key = await keys.issueKey(algorithm);
    const pem = await issueCsr({
      key,
      subject,
      dnsNames: ["a.example"],
      ipAddresses: ["192.0.2.1", "::1"],
    });
    const text = openssl(["req", "-in", "a.csr", "-noout", "-text", "-verify"], { "a.csr": pem });
    expect(text).toContain("Version: 1 (0x0)");
    expect(text).toContain("Subject: O = os:admin + O = os:reader, CN = a");
    expect(text).toContain(`Signature Algorithm: ${signature}`);
    expect(text).toContain("DNS:a.example, IP Address:192.0.2.1, IP Address:0:0:0:0:0:0:0:1");
    expect(text).not.toContain("Key Usage");
    const csr = await readCsr(pem);
    expect(csr).toMatchObject({ dnsNames: ["a.example"], ipAddresses: ["192.0.2.1", "::1"] });
    expect(csr.subject.der).toEqual(subject.der);
    expect(publicKeyPem(csr.publicKey)).toBe(publicKeyPem(key.publicKey));
  });

  test("without names have no attribute", async () => {
    const key = await keys.issueKey("Ed25519");
    const pem = await issueCsr({ key, subject });
    const text = openssl(["req", "-in", "a.csr", "-noout", "-text"], { "a.csr": pem });
    expect(text).toMatch(/Attributes:\s+\(none\)/);
    expect(text).not.toContain("X509v3");
    expect(await readCsr(pem)).toMatchObject({ dnsNames: [], ipAddresses: [] });
  });
});

/** A request by OpenSSL that asks for more than it gets. */
async function greedy(): Promise<string> {
  const key = await keys.issueKey("P-256");
  const config = `
    [req]
    distinguished_name = dn
    req_extensions = ext
    prompt = no
    [dn]
    O = os:admin
    CN = a.example
    emailAddress = a@b.example
    [ext]
    basicConstraints = critical,CA:TRUE
    keyUsage = keyCertSign
    extendedKeyUsage = clientAuth
    subjectAltName = DNS:a.example,IP:192.0.2.1,IP:2001:db8::1,email:a@b.example,URI:spiffe://a/b
  `;
  const files = { "c.cnf": config, "k.pem": await key.pem() };
  return openssl(["req", "-new", "-config", "c.cnf", "-key", "k.pem"], files);
}

/** A request for a name that {@link issueCsr} would not write. */
async function asking(name: string, subject: Name): Promise<string> {
  const key = await keys.issueKey("Ed25519");
  const names = octetString(sequence(string(0x82, name)));
  const list = sequence(sequence(oid("2.5.29.17"), names));
  const attribute = sequence(oid("1.2.840.113549.1.9.14"), setOf([list]));
  const info = sequence(natural(0n), subject.der, key.publicKey.spki, element(0xa0, attribute));
  const signature = octetBits(await key.sign(info));
  return writePem("CERTIFICATE REQUEST", sequence(info, sequence(oid("1.3.101.112")), signature));
}

async function refused(pem: string, why: string): Promise<void> {
  const reading = readCsr(pem, "node.csr");
  await expect(reading).rejects.toThrow(CsrRejectedError);
  await expect(reading).rejects.toThrow(`node.csr: ${why}`);
}

describe("talos-pki.md §2.2: requests that are read", () => {
  test("of all that is asked for, key, known attributes, DNS names and addresses count", async () => {
    const csr = await readCsr(await greedy());
    expect(formatName(csr.subject)).toBe("O = os:admin, CN = a.example");
    expect(csr.dnsNames).toEqual(["a.example"]);
    expect(csr.ipAddresses).toEqual(["192.0.2.1", "2001:db8::1"]);
    expect(csr).not.toHaveProperty("isCa");

    const etcd = { ...authorityProfiles.os, keyAlgorithm: "P-256" } as const;
    const authority = await issueAuthority(etcd, { keys, now, random });
    const leaf = await certifyCsr({
      csr,
      subject: buildName({ ...nameParts(csr.subject), organizations: [] }),
      authority,
      profile: leafProfiles.apidServer,
      now,
      random,
    });
    expect(formatName(leaf.subject)).toBe("CN = a.example");
    expect(leaf).toMatchObject({
      isCa: false,
      keyUsages: ["digitalSignature"],
      extKeyUsages: ["serverAuth"],
      emailAddresses: [],
      uris: [],
      notAfter: now + hours(24),
    });
  });

  test("the old label is read too, another is not", async () => {
    const pem = await greedy();
    const old = pem.replaceAll("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST");
    expect((await readCsr(old)).dnsNames).toEqual(["a.example"]);
    await expect(readCsr(demoRoots.os.crt, "a.csr")).rejects.toThrow(PemLabelError);
  });

  test("a request that another key signed is refused", async () => {
    const key = await keys.issueKey("Ed25519");
    const [mine] = readPem(await issueCsr({ key, subject }));
    const publicKey = Buffer.from((await keys.issueKey("Ed25519")).publicKey.spki);
    const forged = Buffer.from(mine!.der);
    publicKey.copy(forged, forged.indexOf(Buffer.from(key.publicKey.spki)));
    const reading = readCsr(writePem(mine!.label, forged), "node.csr");
    await expect(reading).rejects.toThrow(CsrRejectedError);
    await expect(reading).rejects.toThrow(/^node\.csr: is not signed by the key that it is for$/);
  });

  test("bytes that are no request are refused", async () => {
    const reading = readCsr(writePem("CERTIFICATE REQUEST", Uint8Array.of(0x30, 0)));
    await expect(reading).rejects.toThrow(CsrRejectedError);
  });

  test.each([
    [["-newkey", "rsa:1024"], "an RSA key of 1024 bits is too short; it needs 2048"],
    [
      ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp224r1"],
      "keys on the curve P-224 are not supported; P-256, P-384, P-521 are",
    ],
  ])("one for a weak key, made with %s, is refused", async (how, why) => {
    const args = ["req", "-new", ...how, "-nodes", "-keyout", "k.pem", "-subj", "/CN=a"];
    await refused(openssl(args), why);
  });

  test("one with more text than any node has to say is refused unread", async () => {
    await refused(" ".repeat(65_537), "has 65537 characters; 65536 are the most");
  });

  test.each([
    ["a\0.example", String.raw`"a\u0000.example" is not a DNS name that can be certified`],
    ["a.example.", '"a.example." is not a DNS name that can be certified'],
    ["a..example", '"a..example" is not a DNS name that can be certified'],
    ["b\u00fccher.example", "a bad IA5String"],
    ["192.0.2.1", '"192.0.2.1" is not a DNS name that can be certified'],
    ["", '"" is not a DNS name that can be certified'],
  ])("one for the name %j is refused", async (name, why) => {
    await refused(await asking(name, subject), why);
  });

  test.each(["xn--bcher-kva.example", "*.example", "a_b"])("the name %s is read", async (name) => {
    expect((await readCsr(await asking(name, subject))).dnsNames).toEqual([name]);
  });

  test("one whose subject has a control character is refused", async () => {
    const cut = buildName({ commonName: "a\0.example" });
    await refused(
      await asking("a", cut),
      String.raw`the subject has a control character in "a\u0000.example"`,
    );
  });

  test("a key of another type than the authority's is refused", async () => {
    const authority = await issueAuthority(authorityProfiles.os, { keys, now, random });
    const csr = await readCsr(await greedy());
    const asked = { csr, subject: csr.subject, authority, random };
    const issuing = certifyCsr({ ...asked, profile: leafProfiles.talosClient, now });
    await expect(issuing).rejects.toThrow(AlgorithmMismatchError);
  });

  test("an authority that has ended certifies nothing", async () => {
    const authority = await issueAuthority(authorityProfiles.os, { keys, now, random });
    const csr = await readCsr(await greedy());
    const late = after(authority.certificate.notAfter, 0);
    const asked = { csr, subject: csr.subject, authority, random, now: late };
    const issuing = certifyCsr({ ...asked, profile: leafProfiles.talosClient });
    await expect(issuing).rejects.toThrow(AuthorityExpiredError);
  });
});
