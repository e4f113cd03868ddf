import { once } from "node:events";
import { connect as dial } from "node:net";
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
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
