import { beforeAll, describe, expect, test } from "vitest";
import { after, at, hours, systemRandom as random } from "#runtime";
import {
  authorityProfiles,
  buildName,
  CertificateRefusedError,
  issueAuthority,
  issueCertificate,
  leafProfiles,
  passGate,
  webCryptoKeys,
  type Authority,
  type CertificateRequest,
  type LeafExpectation,
  type PrivateKey,
} from "#pki";

const keys = webCryptoKeys();
const now = at("2030-01-01");
const profile = leafProfiles.trustdServer;
const names = { dnsNames: ["a.example"], ipAddresses: ["192.0.2.1"] };
const subject = buildName({ commonName: "a.example" });

let issuer: Authority;
let other: Authority;
let key: PrivateKey;
beforeAll(async () => {
  issuer = await issueAuthority(authorityProfiles.os, { keys, now, random });
  other = await issueAuthority(authorityProfiles.os, { keys, now, random });
  key = await keys.issueKey("Ed25519");
});

const expectation = (): LeafExpectation => ({
  ...{ profile, subject, now, ...names },
  issuer: issuer.certificate,
  publicKey: key.publicKey,
});

async function judge(
  change: (good: CertificateRequest) => Partial<CertificateRequest>,
  expected: Partial<LeafExpectation> = {},
) {
  const good: CertificateRequest = {
    ...{ issuer, subject, random, ...names },
    publicKey: key.publicKey,
    notBefore: now,
    notAfter: after(now, hours(24)),
    keyUsages: profile.keyUsages,
    extKeyUsages: profile.extKeyUsages,
  };
  const { der } = await issueCertificate({ ...good, ...change(good) });
  return passGate(der, { ...expectation(), ...expected });
}

describe("the gate judges the final certificate", () => {
  test("one that is as its profile says passes", async () => {
    expect((await judge(() => ({}))).dnsNames).toEqual(["a.example"]);
  });

  test.each<[string, (good: CertificateRequest) => Partial<CertificateRequest>, string]>([
    ["is an authority", () => ({ ca: true }), "is that of an authority"],
    [
      "may sign certificates",
      () => ({ keyUsages: ["digitalSignature", "keyCertSign"] }),
      "has other key usages",
    ],
    ["lacks a usage", () => ({ keyUsages: ["digitalSignature"] }), "has other key usages"],
    [
      "serves and asks",
      () => ({ extKeyUsages: ["serverAuth", "clientAuth"] }),
      "has other extended key usages",
    ],
    ["is for everything", () => ({ extKeyUsages: [] }), "has other extended key usages"],
    [
      "has another subject",
      () => ({ subject: buildName({ commonName: "b" }) }),
      "has another subject",
    ],
    ["has a name more", () => ({ dnsNames: ["a.example", "b.example"] }), "has other names"],
    ["has an address less", () => ({ ipAddresses: [] }), "has other names"],
    [
      "has a key identifier of its own",
      () => ({ subjectKeyId: Uint8Array.of(1) }),
      "has extensions that leaves do not have",
    ],
    ["has another key", () => ({ publicKey: other.key.publicKey }), "has another key"],
    [
      "outlives its issuer",
      () => ({ notAfter: after(issuer.certificate.notAfter, 1000) }),
      "outlives its issuer",
    ],
    [
      "has ended",
      () => ({ notBefore: after(now, -hours(2)), notAfter: now }),
      "has ended, or begins too late",
    ],
    ["begins too late", () => ({ notBefore: after(now, 1000) }), "has ended, or begins too late"],
    [
      "is of another authority",
      () => ({ issuer: other }),
      "has another authority key identifier, is not signed by its issuer",
    ],
  ])("one that %s does not", async (_what, change, problem) => {
    const judging = judge(change);
    await expect(judging).rejects.toThrow(CertificateRefusedError);
    await expect(judging).rejects.toThrow(problem);
  });

  test("one whose issuer goes by another name does not", async () => {
    const renamed = { ...other.certificate, subject };
    await expect(judge(() => ({}), { issuer: renamed })).rejects.toThrow("has another issuer");
  });

  test("one whose signature was touched does not", async () => {
    const { der } = await judge(() => ({}));
    const touched = der.slice();
    touched[touched.length - 1]! ^= 1;
    await expect(passGate(touched, expectation())).rejects.toThrow(
      'the certificate for "CN = a.example" is not signed by its issuer',
    );
  });
});
