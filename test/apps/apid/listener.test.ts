import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as dial } from "node:net";
import { promisify } from "node:util";
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { opensslKey } from "../../../src/apps/rpc/openssl-key.ts";
import { issueClient, Note, rawClient, reply, runNode } from "./running-node.ts";

test("a port in use is named, with its address", async () => {
  await using node = await runNode();
  const { port } = node.apid;
  await expect(runNode({ port })).rejects.toMatchObject({
    code: "ERR_PORT_IN_USE",
    message: `cannot listen on 127.0.0.1:${port}: the port is in use: stop what listens there or choose another with --api-port`,
  });
  await expect((await node.admin()).version()).resolves.toBeDefined();
});

test("an address that the machine does not have is named", async () => {
  await expect(runNode({ address: "192.0.2.1", port: 50_000 })).rejects.toMatchObject({
    code: "ERR_ADDRESS_UNAVAILABLE",
    message: "cannot listen on 192.0.2.1:50000: this machine does not have the address",
  });
});

test("IPv6 works", async () => {
  await using node = await runNode({ address: "::1" });
  for (const endpoint of ["::1", `[::1]:${node.apid.port}`]) {
    const admin = await node.admin({ endpoints: [endpoint] });
    expect((await admin.version({ node: "::1" })).rbac).toBe(true);
  }
  await expect(runNode({ address: "::1", port: node.apid.port })).rejects.toMatchObject({
    message: expect.stringMatching(/^cannot listen on \[::1\]:\d+: the port is in use/) as string,
  });
});

test("a list of endpoints as authority crashes nobody", async () => {
  await using node = await runNode();
  const raw = rawClient(node, await issueClient(node.root), {
    "grpc.default_authority": "a.example:50000,b.example:50000",
  });
  const { messages } = await reply<{ messages: unknown[] }>((done) => raw.version({}, done));
  expect(messages).toHaveLength(1);
  raw.close();
});

test("a connection is told how many calls it may have at a time", async () => {
  await using node = await runNode();
  const { key, crt: cert } = await issueClient(node.root);
  const session = connectHttp2(`https://127.0.0.1:${node.apid.port}`, {
    ...{ key: opensslKey(key), cert, rejectUnauthorized: false },
  });
  const [settings] = (await once(session, "remoteSettings")) as [{ maxConcurrentStreams: number }];
  expect(settings.maxConcurrentStreams).toBe(1000);
  session.destroy();
});

test("close ends streams with a status, and idle clients, and half-open ones", async () => {
  const node = await runNode();
  const events = (await node.admin()).watch(Note)[Symbol.asyncIterator]();
  await events.next();
  const silent = dial(node.apid.port, "127.0.0.1");
  await once(silent, "connect");
  const began = process.hrtime.bigint();
  const ended = expect(events.next()).rejects.toMatchObject({
    status: status.UNAVAILABLE,
    message: "rpc error: code = Unavailable desc = the server is stopping",
  });
  await node.apid.close();
  await ended;
  silent.resume();
  await once(silent, "close");
  expect(Number(process.hrtime.bigint() - began) / 1e6).toBeLessThan(1000);
  await node[Symbol.asyncDispose]();
  await expect((await node.admin()).version()).rejects.toMatchObject({ code: "ERR_UNREACHABLE" });
});

test("a client that does not read cannot keep it from closing", async () => {
  const node = await runNode();
  for (let i = 0; i < 30; i++)
    await node.store.create(Note, `${i}`, { text: "x".repeat(1_000_000) });
  const events = (await node.admin()).watch(Note)[Symbol.asyncIterator]();
  await events.next();
  await node.apid.close();
  await node[Symbol.asyncDispose]();
});

test("a client that pings without a call is answered each time and not sent away", async () => {
  // gRPC's C core and Go end such a connection with ENHANCE_YOUR_CALM; talosctl from 1.14 on pings
  // every 10 s while it waits for a reboot, and gives a node up that has not answered within 5 s.
  await using node = await runNode();
  const { key, crt } = await issueClient(node.root);
  const session = connectHttp2(`https://127.0.0.1:${node.apid.port}`, {
    ca: node.root.crt,
    cert: crt,
    key: opensslKey(key),
  });
  const goodbyes: number[] = [];
  session.on("goaway", (code: number) => goodbyes.push(code));
  await once(session, "connect");
  const ping = promisify((done: (error: Error | null) => void) => void session.ping(done));
  for (let i = 0; i < 1000; i += 1) await ping();
  expect(goodbyes).toEqual([]);
  expect(session.destroyed).toBe(false);
  session.close();
});
