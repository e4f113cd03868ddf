import { beforeAll, expect, test } from "vitest";
import {
  authorityProfiles,
  buildName,
  issueAuthority,
  issueCertificate,
  serialHex,
  webCryptoKeys,
  type Authority,
  type Certificate,
} from "#pki";
import { after, at, days, systemRandom as random } from "#runtime";
import { verifyChain, type ChainRequest } from "../../../src/pki/verify/index.ts";

const now = at("2030-06-01T12:00:00.900Z");
const keys = webCryptoKeys();
let ca: Authority;
let foreign: Authority;
let leaf: Certificate;

beforeAll(async () => {
  ca = await issueAuthority(authorityProfiles.os, { keys, now, random });
  foreign = await issueAuthority(authorityProfiles.os, { keys, now, random });
  const { publicKey } = await keys.issueKey("Ed25519");
  leaf = await issueCertificate({
    issuer: ca,
    subject: buildName({ organizations: ["os:admin"], commonName: "node-1" }),
    publicKey,
    notBefore: now,
    notAfter: after(now, days(1)),
    keyUsages: ["digitalSignature"],
    extKeyUsages: ["serverAuth"],
    dnsNames: ["node-1.test"],
    ipAddresses: ["192.0.2.1"],
    random,
  });
});

async function reasonOf(request: Partial<ChainRequest>): Promise<string> {
  const verdict = await verifyChain({ leaf, anchors: [ca.certificate], now, ...request });
  if (verdict.valid) throw new Error("it verifies");
  return `${verdict.code}: ${verdict.reason}`;
}

const subject = () =>
  `the certificate "O = os:admin, CN = node-1" (serial ${serialHex(leaf.serialNumber)})`;
const dates = "valid from 2030-06-01T12:00:00Z to 2030-06-02T12:00:00Z";

test("an expired leaf is named, with its dates and the present one", async () => {
  expect(await reasonOf({ now: after(now, days(1) + 100) })).toBe(
    `ERR_CHAIN_EXPIRED: ${subject()} expired at 2030-06-02T12:00:00Z; it was ${dates}, and now is 2030-06-02T12:00:01Z`,
  );
});

test("a leaf of tomorrow is named, with its dates and the present one", async () => {
  expect(await reasonOf({ now: after(now, -1000) })).toBe(
    `ERR_CHAIN_NOT_YET_VALID: ${subject()} is not valid before 2030-06-01T12:00:00Z; it is ${dates}, and now is 2030-06-01T11:59:59Z`,
  );
});

test("an expired authority is named, not the leaf under it", async () => {
  const ended = { ...ca.certificate, notAfter: after(now, -days(1)) };
  expect(await reasonOf({ anchors: [foreign.certificate, ended] })).toContain(
    `ERR_CHAIN_EXPIRED: the certificate "O = talos" (serial ${serialHex(ca.certificate.serialNumber)}) expired at 2030-05-31T12:00:00Z`,
  );
});

test("of several faults the one of an accepted authority is told", async () => {
  const { certificate: old } = ca;
  const { subject, publicKey, subjectKeyId, keyUsages, extKeyUsages } = old;
  const cross = await issueCertificate({
    issuer: foreign,
    ...{ subject, publicKey, keyUsages, extKeyUsages, random, ca: true },
    ...(subjectKeyId && { subjectKeyId }),
    notBefore: after(now, -days(9)),
    notAfter: after(now, -days(8)),
  });
  // Without a key identifier it is asked after the other.
  const { subjectKeyId: _, ...rest } = old;
  const ended = { ...rest, notAfter: after(now, -days(1)) };
  const request = { anchors: [ended], intermediates: [cross] };
  expect(await reasonOf(request)).toContain("expired at 2030-05-31T12:00:00Z");
  expect(await reasonOf({ ...request, anchors: [] })).toContain("expired at 2030-05-24T12:00:00Z");
});

test("an unknown authority is named, and so are those that have its name", async () => {
  expect(await reasonOf({ anchors: [] })).toBe(
    `ERR_CHAIN_UNKNOWN_AUTHORITY: ${subject()}, ${dates}, is signed by unknown authority: its issuer is "O = talos", and none of that name is accepted`,
  );
  expect(await reasonOf({ anchors: [foreign.certificate] })).toContain(
    `and of that name are accepted, but did not sign it: serial ${serialHex(foreign.certificate.serialNumber)}`,
  );
});

test("a wrong purpose and a wrong host are named beside what the leaf is for", async () => {
  expect(await reasonOf({ usage: "clientAuth" })).toBe(
    `ERR_CHAIN_EXT_KEY_USAGE: ${subject()} is not for clientAuth: its extKeyUsage is serverAuth`,
  );
  expect(await reasonOf({ name: { dns: "node-2.test" } })).toBe(
    `ERR_CHAIN_NAME_MISMATCH: ${subject()} is for DNS "node-1.test", IP "192.0.2.1", not for DNS "node-2.test"`,
  );
});

test("a certificate without a subject goes by its serial number", async () => {
  const { publicKey } = await keys.issueKey("Ed25519");
  const nameless = await issueCertificate({
    issuer: ca,
    subject: buildName({}),
    publicKey,
    notBefore: now,
    notAfter: now,
    keyUsages: [],
    extKeyUsages: [],
    random,
  });
  expect(await reasonOf({ leaf: nameless, now: after(now, days(1)) })).toContain(
    `the certificate without a subject (serial ${serialHex(nameless.serialNumber)}) expired at`,
  );
});
