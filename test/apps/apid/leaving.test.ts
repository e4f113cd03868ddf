import type { IncomingHttpHeaders } from "node:http";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { connect } from "node:tls";
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { readCertificate, type KeyedPem } from "#pki";
import { after, manualClock, seconds, systemClock } from "#runtime";
import { opensslKey } from "../../../src/apps/rpc/openssl-key.ts";
import { issueClient, Note, runNode, type RunningNode } from "./running-node.ts";

const now = systemClock.now();
const fingerprintOf = ({ crt }: KeyedPem) => readCertificate(crt).fingerprint;

/** A watch that is under way. */
async function watching(node: RunningNode, identity: KeyedPem) {
  const client = node.client(identity);
  const events = client.watch(Note)[Symbol.asyncIterator]();
  await events.next();
  return { client, events };
}

test("a connection ends 30 seconds after the certificate of its client does", async () => {
  const clock = manualClock(now);
  await using node = await runNode({ clock });
  const identity = await issueClient(node.root);
  const { events } = await watching(node, identity);
  const { notAfter } = readCertificate(identity.crt);
  clock.advanceTo(notAfter);
  expect(await node.line("client certificate has ended")).toMatchObject({
    fingerprint: fingerprintOf(identity),
  });
  clock.advanceTo(after(notAfter, seconds(29)));
  await node.store.create(Note, "a", { text: "in the last second" });
  expect((await events.next()).value).toMatchObject({ type: "created" });
  clock.advanceTo(after(notAfter, seconds(30)));
  await expect(events.next()).rejects.toMatchObject({ status: status.UNAVAILABLE });
});

test("a denied certificate is turned away at once; its streams have 30 seconds, other clients stay", async () => {
  const clock = manualClock(now);
  await using node = await runNode({ clock });
  const [denied, other] = [await issueClient(node.root), await issueClient(node.root)];
  const leaving = await watching(node, denied);
  const staying = await watching(node, other);
  expect(node.apid.connectionsUnder(fingerprintOf(denied))).toBe(1);
  node.apid.deny(new Set([fingerprintOf(denied)]));
  expect(await node.line("client certificate is denied")).toMatchObject({
    fingerprint: fingerprintOf(denied),
  });
  await expect(leaving.client.version()).rejects.toMatchObject({
    code: "ERR_CLIENT_CERTIFICATE_REJECTED",
  });
  expect(await node.line("client turned away")).toMatchObject({
    reason: "certificate is denied",
    fingerprint: fingerprintOf(denied),
  });
  await node.store.create(Note, "a", { text: "" });
  expect((await leaving.events.next()).value).toMatchObject({ type: "created" });
  clock.advanceTo(after(now, seconds(30)));
  await expect(leaving.events.next()).rejects.toMatchObject({
    message: "rpc error: code = Unavailable desc = client certificate is denied",
  });
  expect((await staying.events.next()).value).toMatchObject({ type: "created" });
  await expect(staying.client.version()).resolves.toBeDefined();
  node.apid.deny(new Set());
  await expect(node.client(denied).version()).resolves.toBeDefined();
});

/** HTTP/2 without a library that obeys it. */
const http2 = (node: RunningNode, { crt: cert, key }: KeyedPem) =>
  new Promise<ClientHttp2Session>((resolve) => {
    const tls = connect({
      ...{ host: "127.0.0.1", port: node.apid.port, rejectUnauthorized: false },
      ...{ cert, key: opensslKey(key), ALPNProtocols: ["h2"] },
    });
    const session = connectHttp2("https://node.invalid", { createConnection: () => tls });
    session.once("remoteSettings", () => resolve(session));
  });

test("an idle connection that has to go gets GOAWAY and closes at once", async () => {
  await using node = await runNode({ clock: manualClock(now) });
  const identity = await issueClient(node.root);
  const session = await http2(node, identity);
  const closed = new Promise((resolve) => session.once("close", resolve));
  const goaway = new Promise<number>((resolve) => session.once("goaway", resolve));
  node.apid.deny(new Set([fingerprintOf(identity)]));
  expect(await goaway).toBe(0);
  await closed;
  await node.apid.close(); // nothing of it is left to wait for
});

test("nothing new begins on a connection that has to go, though its client tries", async () => {
  const clock = manualClock(now);
  await using node = await runNode({ clock });
  const identity = await issueClient(node.root);
  const session = await http2(node, identity);
  session.on("error", () => undefined);
  const request = (path: string) => {
    const stream = session.request({
      ...{ ":method": "POST", ":path": path, te: "trailers" },
      "content-type": "application/grpc",
    });
    const outcome = new Promise<unknown>((resolve) => {
      const end = (headers: IncomingHttpHeaders) => resolve(headers["grpc-status"] ?? "open");
      stream.on("response", end).on("trailers", end);
      stream.on("error", ({ code }: NodeJS.ErrnoException) => resolve(code));
      stream.on("close", () => resolve("closed"));
    });
    return { stream, outcome };
  };
  const early = request("/machine.MachineService/Version"); // of which the message is to come
  const silent = request("/machine.MachineService/Version");
  await new Promise((resolve) => session.ping(resolve)); // the node has both
  node.apid.deny(new Set([fingerprintOf(identity)]));
  const late = request("/machine.MachineService/Version");
  for (const { stream } of [early, late]) stream.end(Buffer.alloc(5));
  expect(await early.outcome).toBe(`${status.PERMISSION_DENIED}`);
  const closed = new Promise((resolve) => session.once("close", resolve));
  clock.advanceTo(after(now, seconds(31)));
  await closed;
  for (const { outcome } of [silent, late])
    expect(await outcome).toMatch(/^(closed|ERR_HTTP2_.*)$/);
});
