import { createServer } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { buildName, issueCertificate, readAuthority, readCertificate, webCryptoKeys } from "#pki";
import { after, days, hours, systemClock, systemRandom } from "#runtime";
import { issueClient, issueRoot, issueServer, Note, runNode } from "../apid/running-node.ts";

const now = systemClock.now();
const keys = webCryptoKeys();

test("a node whose certificate has expired", async () => {
  await using node = await runNode();
  const server = await issueServer(node.root, { now: after(now, -days(2)), lifetime: hours(24) });
  node.apid.rotate({ ...node.material, key: server.key, cert: server.crt });
  await expect((await node.admin()).version()).rejects.toMatchObject({
    code: "ERR_SERVER_CERTIFICATE_EXPIRED",
    message: expect.stringMatching(
      /^failed to connect: x509: certificate has expired: the certificate of the node at 127\.0\.0\.1:\d+ \(subject CN=node-1, valid from /,
    ) as string,
    fingerprint: readCertificate(server.crt).fingerprint,
    hint: expect.stringMatching(/^nodes renew their certificates by themselves/) as string,
  });
});

test("a node of another cluster", async () => {
  await using node = await runNode();
  const stranger = await issueRoot();
  const client = node.client(await issueClient(stranger), { ca: stranger.crt });
  await expect(client.version()).rejects.toMatchObject({
    code: "ERR_SERVER_CERTIFICATE_AUTHORITY",
    message: expect.stringMatching(
      /^failed to verify certificate: x509: certificate signed by unknown authority: the certificate of the node at /,
    ) as string,
    fingerprint: readCertificate(node.server.crt).fingerprint,
    hint: expect.stringMatching(/check that machine\.ca is the authority in it$/) as string,
  });
});

test("a node that does not know our authority", async () => {
  await using node = await runNode();
  const identity = await issueClient(await issueRoot());
  await expect(node.client(identity).version()).rejects.toMatchObject({
    code: "ERR_CLIENT_CERTIFICATE_REJECTED",
    message: expect.stringMatching(
      /^failed to verify certificate: x509: certificate signed by unknown authority: the node at \S+ turned us away: the client certificate of the test \(/,
    ) as string,
    fingerprint: readCertificate(identity.crt).fingerprint,
  });
});

test("a node under a name that is not in its certificate", async () => {
  await using node = await runNode();
  const server = await issueServer(node.root, { ipAddresses: ["10.5.0.2"], dnsNames: ["node-1"] });
  node.apid.rotate({ ...node.material, key: server.key, cert: server.crt });
  await expect((await node.admin()).version()).rejects.toMatchObject({
    code: "ERR_SERVER_CERTIFICATE_NAME",
    message: expect.stringMatching(
      /^failed to verify certificate: x509: certificate is valid for node-1, 10\.5\.0\.2, not 127\.0\.0\.1: /,
    ) as string,
    hint: expect.stringMatching(/machine\.certSANs/) as string,
  });
});

test("an authority of ours that has expired, under a certificate that has not", async () => {
  await using node = await runNode();
  const old = await issueRoot(after(now, -days(3651)));
  const key = await keys.issueKey("Ed25519");
  const leaf = await issueCertificate({
    issuer: await readAuthority(old, keys),
    ...{ subject: buildName({ commonName: "node-1" }), publicKey: key.publicKey },
    ...{ notBefore: after(now, -days(1)), notAfter: after(now, days(1)) },
    ...{ keyUsages: ["digitalSignature"], extKeyUsages: ["serverAuth"], random: systemRandom },
    ipAddresses: ["127.0.0.1"],
  });
  node.apid.rotate({ ...node.material, key: await key.pem(), cert: leaf.pem });
  const client = node.client(await issueClient(node.root), { ca: old.crt });
  await expect(client.version()).rejects.toMatchObject({
    code: "ERR_SERVER_CERTIFICATE_EXPIRED",
    message: expect.stringMatching(/: the authority of the test \(subject O=talos, /) as string,
    fingerprint: readCertificate(old.crt).fingerprint,
  });
});

test("a port where nothing is, and one where something else is", async () => {
  await using node = await runNode();
  const vacant = createServer().listen(0, "127.0.0.1");
  await once(vacant, "listening");
  const { port } = vacant.address() as { port: number };
  await new Promise((resolve) => vacant.close(resolve));
  await expect((await node.admin({ port })).version()).rejects.toMatchObject({
    code: "ERR_UNREACHABLE",
    message: `failed to connect to 127.0.0.1:${port}: ECONNREFUSED`,
  });
  const other = createServer((socket) => {
    socket.on("error", () => {});
    socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  }).listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port: busy } = other.address() as { port: number };
  await expect((await node.admin({ port: busy })).version()).rejects.toMatchObject({
    code: "ERR_UNREACHABLE",
  });
  other.close();
});

test("with several endpoints the first that answers is asked", async () => {
  await using node = await runNode();
  const good = `127.0.0.1:${node.apid.port}`;
  const admin = await node.admin({ endpoints: ["127.0.0.1:1", good] });
  expect((await admin.version()).tag).toBe("v1.14.0");
  await node.store.create(Note, "a", { text: "" });
  expect(await admin.list(Note)).toHaveLength(1);
  for await (const event of admin.watch(Note)) {
    expect(event.type).toBe("created");
    break;
  }
  const nowhere = await node.admin({ endpoints: ["127.0.0.1:1", "127.0.0.1:2"] });
  await expect(nowhere.version()).rejects.toMatchObject({
    message: "failed to connect to 127.0.0.1:1: ECONNREFUSED",
  });
});

test("the endpoint that is the node comes first", async () => {
  await using one = await runNode({ address: "127.0.0.1" });
  await using two = await runNode({
    address: "127.0.0.2",
    material: one.material,
    store: one.store,
  });
  const endpoints = [`127.0.0.1:${one.apid.port}`, `127.0.0.2:${two.apid.port}`];
  const server = await issueServer(one.root, { ipAddresses: ["127.0.0.1", "127.0.0.2"] });
  const material = { key: server.key, cert: server.crt, ca: [one.root.crt] };
  one.apid.rotate(material);
  two.apid.rotate(material);
  const admin = await one.admin({ endpoints });
  await expect(admin.version({ node: "127.0.0.2" })).resolves.toBeDefined();
  await expect(admin.version({ node: "127.0.0.1" })).resolves.toBeDefined();
});
