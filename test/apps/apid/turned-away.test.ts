import { status } from "@grpc/grpc-js";
import { connect } from "node:tls";
import { describe, expect, test } from "vitest";
import { parseCertificate, readCertificate, type KeyedPem } from "#pki";
import { checkMaterial } from "../../../src/apps/apid/material.ts";
import { opensslKey } from "../../../src/apps/rpc/openssl-key.ts";
import { after, days, systemClock } from "#runtime";
import {
  issueClient,
  issueRoot,
  issueServer,
  rawClient,
  reply,
  runNode,
  type RunningNode,
} from "./running-node.ts";

const now = systemClock.now();

const rejected: Record<string, (node: RunningNode) => Promise<[KeyedPem | undefined, RegExp]>> = {
  "without a certificate": async () => [undefined, /^no client certificate$/],
  "whose certificate has expired": async ({ root }) => [
    await issueClient(root, ["os:admin"], { now: after(now, -days(2)), lifetime: days(1) }),
    /^certificate has expired$/,
  ],
  "whose certificate has not begun": async ({ root }) => [
    await issueClient(root, ["os:admin"], { now: after(now, days(2)) }),
    /^certificate is not yet valid$/,
  ],
  "of a foreign authority": async () => [
    await issueClient(await issueRoot()),
    /^certificate signed by unknown authority$/,
  ],
  "whose certificate is for servers": async ({ root }) => [
    await issueServer(root),
    /^certificate is missing the client auth extended key usage$/,
  ],
  "whose certificate is for nothing in particular": async ({ root }) => [
    await issueClient(root, ["os:admin"], { profile: { extKeyUsages: [] } }),
    /^certificate is missing the client auth extended key usage$/,
  ],
  "whose certificate is for servers too": async ({ root }) => [
    await issueClient(root, ["os:admin"], {
      profile: { extKeyUsages: ["clientAuth", "serverAuth"] },
    }),
    /^certificate has more than the client auth extended key usage: clientAuth, serverAuth$/,
  ],
};

describe.each(Object.entries(rejected))("a client %s", (_, make) => {
  test("is turned away, and the log says why and who it was", async () => {
    await using node = await runNode();
    const [identity, reason] = await make(node);
    const raw = rawClient(node, identity);
    await expect(reply((done) => raw.version({}, done))).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
    raw.close();
    const line = await node.line("client turned away");
    expect(line.reason).toMatch(reason);
    expect(line.message).toBe(`client turned away: ${String(line.reason)}`);
    expect(line.fingerprint).toBe(identity ? readCertificate(identity.crt).fingerprint : "");
    expect(line.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  });
});

test("nobody is accepted where no authority is", async () => {
  await using node = await runNode();
  node.apid.rotate({ ...node.material, ca: [] });
  // Left out, it would mean the authorities of the system.
  expect(checkMaterial({ ...node.material, ca: [] }).context.ca).toEqual([]);
  const admin = await node.admin();
  await expect(admin.version()).rejects.toMatchObject({ code: "ERR_CLIENT_CERTIFICATE_REJECTED" });
  expect((await node.line("client turned away")).reason).toBe(
    "certificate signed by unknown authority",
  );
});

test("a client certificate that our clock finds ended is refused, whatever the system's says", async () => {
  const clock = { ...systemClock, now: () => after(systemClock.now(), days(400)) };
  await using node = await runNode({ clock });
  const raw = rawClient(node, await issueClient(node.root));
  await expect(reply((done) => raw.version({}, done))).rejects.toMatchObject({
    code: status.UNAVAILABLE,
  });
  raw.close();
  expect((await node.line("client turned away")).reason).toMatch(
    /^certificate has expired: it ended/,
  );
});

test("versions of TLS before 1.2 are refused", async () => {
  await using node = await runNode();
  const { crt: cert, key } = await issueClient(node.root);
  const outcome = (maxVersion: "TLSv1.1" | "TLSv1.2") =>
    new Promise<string>((resolve) => {
      const socket = connect({
        ...{ host: "127.0.0.1", port: node.apid.port, rejectUnauthorized: false },
        ...{ minVersion: "TLSv1" as const, maxVersion, ciphers: "ALL@SECLEVEL=0" },
        ...{ cert, key: opensslKey(key), ALPNProtocols: ["h2"] },
      });
      socket.once("secureConnect", () => resolve(socket.getProtocol() ?? ""));
      socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code ?? ""));
    });
  expect(await outcome("TLSv1.1")).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
  expect(await outcome("TLSv1.2")).toBe("TLSv1.2");
  expect(await node.line("TLS handshake failed")).toMatchObject({
    code: "ERR_SSL_UNSUPPORTED_PROTOCOL",
  });
  // OpenSSL's security level would refuse them too, where nobody lowered it.
  expect(checkMaterial(node.material).context.minVersion).toBe("TLSv1.2");
});

test.each(["TLSv1.2", "TLSv1.3"] as const)("no session of %s is resumed", async (version) => {
  await using node = await runNode();
  const { crt, key } = await issueClient(node.root);
  const options = {
    ...{ host: "127.0.0.1", port: node.apid.port, ca: node.root.crt, cert: crt, key },
    ...{ maxVersion: version, minVersion: version, ALPNProtocols: ["h2"] },
    key: opensslKey(key),
  };
  const shake = (session?: Buffer) =>
    new Promise<{ session: Buffer | undefined; reused: boolean }>((resolve, reject) => {
      const socket = connect({ ...options, ...(session && { session }) });
      let given = session;
      socket.on("session", (offered) => (given = offered));
      socket.once("error", reject);
      // The server speaks first in HTTP/2, after whatever sessions it has to offer.
      socket.once("data", () => {
        resolve({ session: given ?? socket.getSession(), reused: socket.isSessionReused() });
        socket.destroy();
      });
    });
  const { session } = await shake();
  expect((await shake(session)).reused).toBe(false);
});

test("the server presents its certificate, and asks for one of the accepted authorities", async () => {
  await using node = await runNode();
  const presented = await new Promise<Buffer>((resolve, reject) => {
    const socket = connect({
      ...{ host: "127.0.0.1", port: node.apid.port, ca: node.root.crt, ALPNProtocols: ["h2"] },
    });
    socket.once("secureConnect", () => resolve(socket.getPeerX509Certificate()!.raw));
    socket.once("error", reject);
  });
  const { dnsNames, fingerprint } = parseCertificate(presented);
  expect(fingerprint).toBe(readCertificate(node.server.crt).fingerprint);
  expect(dnsNames).toEqual(["localhost"]);
});
