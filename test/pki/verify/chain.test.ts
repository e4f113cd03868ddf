import { expect, test } from "vitest";
import {
  authorityProfiles,
  buildName,
  issueAuthority,
  issueCertificate,
  parseCertificate,
  webCryptoKeys,
  type Authority,
  type Certificate,
  type CertificateRequest,
} from "#pki";
import { after, at, days, systemRandom as random } from "#runtime";
import { verifyChain, type ChainRequest } from "../../../src/pki/verify/index.ts";

const now = at("2030-01-01T00:00:00Z");
const keys = webCryptoKeys();
const root = (profile: keyof typeof authorityProfiles) =>
  issueAuthority(authorityProfiles[profile], { keys, now, random });

type Options = Partial<CertificateRequest> & { readonly commonName?: string };

/** A certificate under an authority, and its key. */
async function issue(issuer: Authority, options: Options = {}): Promise<Authority> {
  const key = await keys.issueKey(issuer.key.algorithm);
  const certificate = await issueCertificate({
    issuer,
    subject: buildName(options.commonName ? { commonName: options.commonName } : {}),
    publicKey: key.publicKey,
    notBefore: now,
    notAfter: after(now, days(10)),
    keyUsages: ["digitalSignature"],
    extKeyUsages: ["clientAuth"],
    random,
    ...options,
  });
  return { certificate, key };
}

const intermediate = (issuer: Authority, options: Options = {}) =>
  issue(issuer, {
    commonName: "intermediate",
    keyUsages: ["digitalSignature", "keyCertSign"],
    extKeyUsages: [],
    ca: true,
    subjectKeyId: random.bytes(20),
    ...options,
  });

const verify = (leaf: Certificate, anchors: Certificate[], more: Partial<ChainRequest> = {}) =>
  verifyChain({ leaf, intermediates: [], anchors, now, usage: "clientAuth", ...more });

test("a leaf verifies under the authority without a name, with and without a subject", async () => {
  const aggregator = await root("aggregator");
  const anchors = [aggregator.certificate];
  for (const commonName of ["front-proxy-client", ""]) {
    const { certificate } = await issue(aggregator, { commonName });
    expect(certificate.authorityKeyId === undefined).toBe(commonName === "");
    expect(await verify(certificate, anchors)).toEqual({
      valid: true,
      chain: [certificate, aggregator.certificate],
    });
  }
  expect(
    await verify((await issue(aggregator)).certificate, anchors, { strict: true }),
  ).toMatchObject({ code: "ERR_CHAIN_PROFILE" });
});

test("of two accepted authorities of one name each verifies its own leaves", async () => {
  for (const profile of ["os", "aggregator"] as const) {
    const [old, next] = [await root(profile), await root(profile)];
    const anchors = [old.certificate, next.certificate];
    for (const authority of [old, next]) {
      // Without a subject under the nameless one there is no key identifier to go by.
      const { certificate } = await issue(authority);
      const chain = [certificate, authority.certificate];
      expect(await verify(certificate, anchors)).toEqual({ valid: true, chain });
      expect(await verify(certificate, anchors.toReversed())).toEqual({ valid: true, chain });
    }
  }
});

test("a key identifier that fits nobody does not stand in the way", async () => {
  const { certificate, key } = await root("os");
  const other = { certificate: { ...certificate, subjectKeyId: random.bytes(20) }, key };
  const leaf = (await issue(other, { commonName: "a" })).certificate;
  expect(leaf.authorityKeyId).not.toEqual(certificate.subjectKeyId);
  expect(await verify(leaf, [certificate])).toMatchObject({ valid: true });
});

test("an accepted authority verifies as itself, also reissued with its key", async () => {
  const { certificate, key } = await root("etcd");
  const chain = [certificate];
  expect(await verify(certificate, chain)).toEqual({ valid: true, chain });
  const { publicKey, subject, keyUsages, extKeyUsages } = certificate;
  const dates = { notBefore: now, notAfter: after(now, days(1)) };
  const shape = {
    issuer: "self",
    key,
    subject,
    publicKey,
    keyUsages,
    extKeyUsages,
    ca: true,
    random,
  } as const;
  const again = await issueCertificate({ ...shape, ...dates });
  expect(await verify(again, chain)).toEqual({ valid: true, chain: [again, certificate] });
});

test("an authority that signed itself is unknown until it is accepted", async () => {
  const [mine, foreign] = [await root("os"), await root("os")];
  const { certificate } = await issue(foreign, { commonName: "guest" });
  const verdict = await verify(certificate, [mine.certificate], {
    intermediates: [foreign.certificate],
  });
  expect(verdict).toMatchObject({ valid: false, code: "ERR_CHAIN_UNKNOWN_AUTHORITY" });
});

test("a crowd of namesakes does not keep the accepted authority from being found", async () => {
  const ca = await root("os");
  const crowd = await Promise.all(Array.from({ length: 300 }, () => root("os")));
  const { certificate } = await issue(ca, { commonName: "a" });
  const intermediates = crowd.map((member) => member.certificate);
  expect(await verify(certificate, [ca.certificate], { intermediates })).toMatchObject({
    valid: true,
  });
  // The key identifier leads to the right one of many that are accepted.
  const anchors = [...intermediates, ca.certificate];
  expect(await verify(certificate, anchors)).toMatchObject({ valid: true });
  // Where none of them has signed it, the search ends early and says so.
  const stranger = (await issue(await root("os"), { commonName: "b" })).certificate;
  expect(await verify(stranger, [ca.certificate], { intermediates })).toMatchObject({
    code: "ERR_CHAIN_TOO_COMPLEX",
  });
});

test("an authority that hands over to a new key of its own is no intermediate", async () => {
  const ca = await root("os");
  const { subject } = ca.certificate;
  const next = await intermediate(ca, { subject });
  const { certificate } = await issue(next, { commonName: "a" });
  const request = { intermediates: [next.certificate], maxDepth: 0 };
  expect(await verify(certificate, [ca.certificate], request)).toMatchObject({ valid: true });
});

test("an intermediate may be accepted without its root", async () => {
  const ca = await root("os");
  const middle = await intermediate(ca);
  const { certificate } = await issue(middle, { commonName: "a" });
  expect(await verify(certificate, [middle.certificate])).toMatchObject({ valid: true });
});

test("after a change of the body or the signature nobody is known to have signed", async () => {
  const ca = await root("kubernetes");
  const { certificate } = await issue(ca, { commonName: "bbb" });
  const subject = Buffer.from(certificate.der).indexOf("bbb");
  for (const place of [subject, certificate.der.length - 1]) {
    const der = Uint8Array.from(certificate.der);
    der[place] = (der[place] ?? 0) ^ 1;
    expect(await verify(parseCertificate(der), [ca.certificate])).toMatchObject({
      code: "ERR_CHAIN_UNKNOWN_AUTHORITY",
    });
  }
});

test("what lacks basicConstraints or keyCertSign signs nothing", async () => {
  const ca = await root("os");
  const cases = [
    [{ ca: false }, "ERR_CHAIN_NOT_AUTHORITY"],
    [{ keyUsages: ["digitalSignature"] }, "ERR_CHAIN_KEY_USAGE"],
    [{ keyUsages: [] }, undefined],
  ] as const;
  for (const [options, code] of cases) {
    const middle = await intermediate(ca, options);
    const { certificate } = await issue(middle, { commonName: "a" });
    const verdict = await verify(certificate, [ca.certificate], {
      intermediates: [middle.certificate],
    });
    expect(verdict).toMatchObject(code ? { valid: false, code } : { valid: true });
  }
});

test("extKeyUsage limits the leaf, and on an authority what is below", async () => {
  const ca = await root("os");
  const ANY = "2.5.29.37.0";
  const server = (await issue(ca, { extKeyUsages: ["serverAuth"] })).certificate;
  const anchors = [ca.certificate];
  expect(await verify(server, anchors)).toMatchObject({ code: "ERR_CHAIN_EXT_KEY_USAGE" });
  expect(await verify(server, anchors, { usage: "serverAuth" })).toMatchObject({ valid: true });
  expect(await verify(server, anchors, { usage: "any" })).toMatchObject({ valid: true });
  for (const [extKeyUsages, valid] of [
    [[], true],
    [["clientAuth"], true],
    [["serverAuth"], false],
    [[ANY], true],
  ] as const) {
    const middle = await intermediate(ca, { extKeyUsages });
    const { certificate } = await issue(middle, { commonName: "a" });
    const verdict = await verify(certificate, anchors, { intermediates: [middle.certificate] });
    expect(verdict).toMatchObject(valid ? { valid } : { code: "ERR_CHAIN_EXT_KEY_USAGE" });
  }
});

test("a leaf without digitalSignature is good for nothing in TLS", async () => {
  const ca = await root("os");
  const { certificate } = await issue(ca, { keyUsages: ["keyEncipherment"] });
  expect(await verify(certificate, [ca.certificate])).toMatchObject({
    code: "ERR_CHAIN_KEY_USAGE",
  });
  expect(await verify(certificate, [ca.certificate], { usage: "any" })).toMatchObject({
    valid: true,
  });
});

test("a host is matched by name and by address, and never by the common name", async () => {
  const ca = await root("os");
  const { certificate } = await issue(ca, {
    commonName: "common.test",
    dnsNames: ["node.test", "*.apps.test"],
    ipAddresses: ["192.0.2.10", "2001:db8::1"],
  });
  const isFor = async (name: NonNullable<ChainRequest["name"]>) =>
    (await verify(certificate, [ca.certificate], { name })).valid;
  for (const dns of ["node.test", "NODE.test.", "a.apps.test"])
    expect(await isFor({ dns })).toBe(true);
  for (const ip of ["192.0.2.10", "::ffff:192.0.2.10", "2001:DB8:0::0:1"])
    expect(await isFor({ ip })).toBe(true);
  for (const dns of ["common.test", "apps.test", "192.0.2.10"])
    expect(await isFor({ dns })).toBe(false);
  for (const ip of ["192.0.2.11", "2001:db8::2", "node.test", ""])
    expect(await isFor({ ip })).toBe(false);
});

test("an old root of version 1 signs nothing, and one of serial number 0 does even when strict", async () => {
  const ca = await root("os");
  const { certificate } = await issue(ca, { commonName: "a" });
  const first: Certificate = { ...ca.certificate, version: 1, isCa: false, extensions: [] };
  const verdict = await verify(certificate, [first]);
  expect(verdict).toMatchObject({ valid: false, code: "ERR_CHAIN_NOT_AUTHORITY" });
  expect(verdict).toMatchObject({ reason: expect.stringContaining("version 1") as string });
  const zero: Certificate = { ...ca.certificate, serialNumber: 0n };
  expect(await verify(certificate, [zero], { strict: true })).toMatchObject({ valid: true });
  const leaf: Certificate = { ...certificate, serialNumber: 0n };
  expect(await verify(leaf, [zero], { strict: true })).toMatchObject({ code: "ERR_CHAIN_PROFILE" });
});
