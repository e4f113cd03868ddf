import { status } from "@grpc/grpc-js";
import { connect } from "node:tls";
import { expect, test } from "vitest";
import {
  authorityProfiles,
  buildName,
  issueAuthority,
  issueCertificate,
  readAuthority,
  readCertificate,
  webCryptoKeys,
  type Authority,
  type KeyedPem,
} from "#pki";
import {
  after,
  days,
  hours,
  manualClock,
  seconds,
  systemClock,
  systemRandom as random,
} from "#runtime";
import { opensslKey } from "../../../src/apps/rpc/openssl-key.ts";
import { issueClient, issueRoot, Note, rawClient, reply, runNode } from "./running-node.ts";

const keys = webCryptoKeys();
const now = systemClock.now();

/** What an authority certifies, whatever it may. */
async function certify(issuer: Authority, subject: { organizations: string[] }, ca: boolean) {
  const key = await keys.issueKey("Ed25519");
  const certificate = await issueCertificate({
    issuer,
    subject: buildName(subject),
    publicKey: key.publicKey,
    notBefore: after(now, -hours(1)),
    notAfter: after(now, days(1)),
    keyUsages: ca ? ["digitalSignature", "keyCertSign"] : ["digitalSignature"],
    extKeyUsages: ["clientAuth"],
    ca,
    ...(ca && { subjectKeyId: random.bytes(20) }),
    random,
  });
  return { certificate, key };
}

const sending = (identity: KeyedPem, ...chain: KeyedPem[]): KeyedPem => ({
  ...identity,
  crt: [identity, ...chain].map(({ crt }) => crt).join(""),
});

const calls = (node: Awaited<ReturnType<typeof runNode>>, identity: KeyedPem) => {
  const raw = rawClient(node, identity);
  return reply((done) => raw.version({}, done)).finally(() => raw.close());
};

test("the certificate of an accepted authority helps nobody whom it did not issue", async () => {
  const clock = manualClock(now);
  await using node = await runNode({ clock });
  const next = await issueRoot();
  const both = { ...node.material, ca: [node.root.crt, next.crt] };
  node.apid.rotate(both);
  const client = node.client(sending(await issueClient(node.root), next));
  const leaving = client.watch(Note)[Symbol.asyncIterator]();
  await leaving.next();
  node.apid.rotate({ ...node.material, ca: [next.crt] });
  await node.line("accepted no longer");
  clock.advanceTo(after(now, seconds(30)));
  await expect(leaving.next()).rejects.toMatchObject({ status: status.UNAVAILABLE });
  await expect(calls(node, sending(await issueClient(node.root), next))).rejects.toMatchObject({
    code: status.UNAVAILABLE,
  });
});

test("a connection ends with the authority that its client is accepted by", async () => {
  const clock = manualClock(now);
  await using node = await runNode({ clock });
  const profile = { ...authorityProfiles.os, lifetime: hours(2) };
  const brief = await issueAuthority(profile, { keys, random, now });
  const { certificate, key } = await certify(brief, { organizations: ["os:admin"] }, false);
  node.apid.rotate({ ...node.material, ca: [node.root.crt, brief.certificate.pem] });
  const client = node.client({ crt: certificate.pem, key: await key.pem() });
  const events = client.watch(Note)[Symbol.asyncIterator]();
  await events.next();
  expect(certificate.notAfter).toBeGreaterThan(brief.certificate.notAfter);
  expect(clock.nextAlarm()).toBe(brief.certificate.notAfter);
  clock.advanceTo(brief.certificate.notAfter);
  expect(await node.line("authority certificate has ended")).toMatchObject({
    fingerprint: certificate.fingerprint,
    reason: `${brief.certificate.fingerprint} has ended`,
  });
  clock.advanceTo(after(clock.now(), seconds(30)));
  await expect(events.next()).rejects.toMatchObject({ status: status.UNAVAILABLE });
});

test("an intermediate leads from a client to its authority, past what does not belong there", async () => {
  await using node = await runNode();
  const root = await readAuthority(node.root, keys);
  const { certificate, key } = await certify(root, { organizations: ["between"] }, true);
  const between = { certificate, key };
  const leaf = await certify(between, { organizations: ["os:admin"] }, false);
  const identity = { crt: leaf.certificate.pem, key: await leaf.key.pem() };
  const link = { crt: certificate.pem, key: "" };
  const other = await issueRoot();
  for (const chain of [[link], [link, other], [other, link]])
    await expect(calls(node, sending(identity, ...chain))).resolves.toBeDefined();
  await expect(calls(node, identity)).rejects.toMatchObject({ code: status.UNAVAILABLE });
});

test("roles are those of the certificate that was verified, whatever is sent beside it", async () => {
  await using node = await runNode();
  const root = await readAuthority(node.root, keys);
  const foreign = await readAuthority(await issueRoot(), keys);
  const reader = await issueClient(node.root, ["os:reader"]);
  const admins = { organizations: ["os:admin"] };
  const pemOf = async ({ certificate, key }: Awaited<ReturnType<typeof certify>>) => ({
    crt: certificate.pem,
    key: await key.pem(),
  });
  const forged = await certify(foreign, admins, true);
  const apply = (identity: KeyedPem) =>
    node.client(identity).applyConfiguration({ data: "of a reader" });
  const refusal = { status: status.PERMISSION_DENIED };
  await expect(apply(sending(reader, await pemOf(forged)))).rejects.toMatchObject(refusal);
  const between = await certify(root, admins, true);
  await expect(apply(sending(reader, await pemOf(between)))).rejects.toMatchObject(refusal);
  const below = await certify(between, { organizations: ["os:reader"] }, false);
  const link = await pemOf(between);
  await expect(apply(sending(await pemOf(below), link))).rejects.toMatchObject(refusal);
  const belowForged = await certify(forged, admins, false);
  await expect(
    calls(node, sending(await pemOf(belowForged), await pemOf(forged))),
  ).rejects.toMatchObject({ code: status.UNAVAILABLE });
  await expect(apply(await issueClient(node.root))).resolves.toBeDefined();
});

test("every block of an accepted text is an authority, before a rotation and after", async () => {
  await using node = await runNode();
  const second = await issueRoot();
  const trust = { ...node.material, ca: [`# two\n${node.root.crt}\n${second.crt}`] };
  node.apid.rotate(trust);
  const watch = node.client(await issueClient(second)).watch(Note);
  const staying = watch[Symbol.asyncIterator]();
  await staying.next();
  node.apid.rotate(trust);
  for (const authority of [node.root, second])
    await expect(calls(node, await issueClient(authority))).resolves.toBeDefined();
  expect(node.lines.filter(({ message }) => message.includes("accepted no longer"))).toEqual([]);
  await staying.return?.();
});

test("a certificate that is no authority is not trusted for being accepted", async () => {
  await using node = await runNode();
  const foreign = await issueClient(await issueRoot());
  node.apid.rotate({ ...node.material, ca: [node.root.crt + foreign.crt] });
  expect((await node.line("left out")).reason).toBe(
    "accepted authority 2: the certificate is not that of an authority",
  );
  await expect(calls(node, foreign)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  await expect((await node.admin()).version()).resolves.toBeDefined();
  expect(() => node.apid.rotate({ ...node.material, ca: [foreign.crt] })).toThrow(
    "no accepted authority is usable: accepted authority 1: the certificate is not",
  );
});

test("a damaged block is left out, and the log says so", async () => {
  await using node = await runNode();
  const second = await issueRoot();
  const begin = "-----BEGIN CERTIFICATE-----\n";
  const damaged = [`${begin}AAAA\n-----END CERTIFICATE-----\n`, `${begin}AAAA\n`, `${begin}!\n`];
  node.apid.rotate({ ...node.material, ca: [node.root.crt + damaged.join("") + second.crt] });
  expect(node.lines.filter(({ message }) => message.startsWith("left out"))).toMatchObject(
    [2, 3, 4].map((i) => ({
      reason: expect.stringMatching(`^accepted authority ${i}: `) as string,
    })),
  );
  for (const authority of [node.root, second])
    await expect(calls(node, await issueClient(authority))).resolves.toBeDefined();
});

test("two connections from one address and port are not taken for one another", async () => {
  await using node = await runNode({ address: "0.0.0.0" });
  const { crt: cert, key } = await issueClient(node.root);
  const dial = (host: string, localPort?: number) =>
    connect({
      ...{ host, port: node.apid.port, localAddress: "127.0.0.1", ...(localPort && { localPort }) },
      ...{ cert, key: opensslKey(key), rejectUnauthorized: false, ALPNProtocols: ["h2"] },
    });
  const first = dial("127.0.0.1");
  await new Promise((resolve) => first.once("data", resolve)); // what gRPC says first
  const second = dial("127.0.0.2", first.localPort);
  second.on("error", () => undefined);
  await new Promise((resolve) => second.once("close", resolve));
  expect(await node.line("client turned away")).toMatchObject({
    peer: `127.0.0.1:${first.localPort}`,
    reason: "another connection has its address and port",
    fingerprint: readCertificate(cert).fingerprint,
  });
  expect(first.destroyed).toBe(false);
  first.destroy();
});
