/** Clients that send nonsense, too much or nothing: others are served, and nothing of it is left. */
import { once } from "node:events";
import { connect as connectHttp2, constants, type ClientHttp2Session } from "node:http2";
import { createServer, connect as dial, type AddressInfo, type Socket } from "node:net";
import { connect as dialTls } from "node:tls";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { readCertificate, type KeyedPem } from "#pki";
import { after, manualClock, seconds, systemClock } from "#runtime";
import { StateClient } from "#runtime/rpc";
import { WatchRequest } from "../../../src/runtime/rpc/gen/v1alpha1/state.ts";
import { HANDSHAKE_MAX } from "../../../src/apps/apid/handshakes.ts";
import { ApplyConfigurationRequest_Mode as Mode } from "../../../src/apps/rpc/gen/machine/machine.ts";
import { opensslKey } from "../../../src/apps/rpc/openssl-key.ts";
import { issueClient, Note, rawClient, reply, runNode, type RunningNode } from "./running-node.ts";

const MIB = 2 ** 20;
const garbage: Readonly<Record<string, Buffer>> = {
  "HTTP/1.1": Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  "HTTP/2 without TLS": Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  zeros: Buffer.alloc(4096),
  "a record that is too long": Buffer.from([0x16, 3, 1, 0xff, 0xff, ...Buffer.alloc(70_000, 1)]),
  "a hello without contents": Buffer.from([0x16, 3, 1, 0, 4, 1, 0, 0, 0]),
};

/** Resets are ends, too. */
const closeOf = (socket: Socket) => new Promise((resolve) => socket.once("close", resolve));

/** A connection without TLS. */
async function plain({ apid }: RunningNode): Promise<Socket> {
  const socket = dial(apid.port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket.resume();
}

test.each(Object.entries(garbage))("%s is no TLS, and is ended at once", async (_, bytes) => {
  await using node = await runNode({ clock: manualClock(systemClock.now()) });
  const socket = await plain(node);
  const closed = closeOf(socket);
  socket.write(bytes);
  expect(await node.line("TLS handshake failed")).toMatchObject({
    peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
    code: expect.stringMatching(/^ERR_SSL_/) as string,
  });
  await closed;
  await expect((await node.admin()).version()).resolves.toBeDefined();
});

test("what does not finish its handshake has ten seconds, whatever it sends; others are served", async () => {
  const clock = manualClock(systemClock.now());
  const start = clock.now();
  await using node = await runNode({ clock });
  const admin = await node.admin();
  const events = admin.watch(Note)[Symbol.asyncIterator]();
  await events.next();
  const halfOpen = await Promise.all(Array.from({ length: 100 }, () => plain(node)));
  const closed = Promise.all(halfOpen.map(closeOf));
  const slow = halfOpen[0]!;
  slow.write(Buffer.from([0x16, 3, 1, 0x02, 0])); // a hello of 512 bytes begins
  await (await node.admin()).version(); // a connection after all of them
  clock.advanceTo(after(start, HANDSHAKE_MAX - seconds(1)));
  slow.write(Buffer.from([1]));
  await admin.version();
  expect(halfOpen.filter(({ readyState }) => readyState === "open")).toHaveLength(100);
  clock.advanceTo(after(start, HANDSHAKE_MAX));
  await closed;
  const given = node.lines.filter(({ message }) => message.includes("not done within 10 s"));
  expect(given).toHaveLength(100);
  await node.store.create(Note, "a", { text: "" });
  expect((await events.next()).value).toMatchObject({ type: "created" });
  await events.return?.();
});

test("a handshake that is done in time leaves no limit behind, nor does one that fails", async () => {
  const clock = manualClock(systemClock.now());
  await using node = await runNode({ clock });
  const identity = await issueClient(node.root);
  const client = node.client(identity);
  await client.version();
  const socket = await plain(node);
  const closed = closeOf(socket);
  socket.write("nonsense");
  await closed;
  await node.line("TLS handshake failed");
  expect(clock.nextAlarm()).toBe(readCertificate(identity.crt).notAfter);
});

/** HTTP/2 without a library that obeys it; takes as much as a server has to send. */
async function http2(port: number, { crt: cert, key }: KeyedPem): Promise<ClientHttp2Session> {
  const tls = dialTls({
    ...{ host: "127.0.0.1", port, rejectUnauthorized: false },
    ...{ cert, key: opensslKey(key), ALPNProtocols: ["h2"] },
  });
  const session = connectHttp2("https://node.invalid", {
    createConnection: () => tls,
    settings: { initialWindowSize: 2 ** 31 - 1 },
  });
  session.on("error", () => undefined);
  await once(session, "connect");
  session.setLocalWindowSize(2 ** 31 - 1);
  return session;
}

/** Stands between clients and a node, and can stop taking what the node sends. */
async function between({ apid }: RunningNode) {
  const upstream: Socket[] = [];
  const proxy = createServer((client) => {
    const node = dial(apid.port, "127.0.0.1");
    upstream.push(node);
    for (const socket of [client, node]) socket.on("error", () => undefined);
    client.pipe(node).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    port: (proxy.address() as AddressInfo).port,
    stopReading() {
      for (const socket of upstream) socket.unpipe().pause();
    },
    [Symbol.dispose]() {
      proxy.close();
      for (const socket of upstream) socket.destroy();
    },
  };
}

const watchRequest: WatchRequest = {
  ...{ namespace: "test", type: Note.type, id: undefined, apiVersion: 1 },
  options: {
    ...{ bootstrapContents: true, bootstrapBookmark: false, startFromBookmark: undefined },
    ...{ labelQuery: [], idQuery: undefined, tailEvents: 0, aggregated: true },
  },
};

/** Begins to watch the notes; what comes is for the caller to read. */
function watchNotes(session: ClientHttp2Session) {
  const request = WatchRequest.encode(watchRequest).finish();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(request.length, 1);
  const stream = session.request({
    ...{ ":method": "POST", ":path": "/cosi.resource.State/Watch", te: "trailers" },
    "content-type": "application/grpc",
  });
  stream.on("error", () => undefined);
  stream.end(Buffer.concat([head, request]));
  return stream;
}

/** Bytes outside of the heap that something still holds: what is garbage is collected first. */
async function heldOutside(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  await new Promise(setImmediate); // what was freed is counted off meanwhile
  collect();
  return getHeapStatistics().external_memory;
}

test("clients that do not read cost what a watch may keep for each, and keep nobody waiting", async () => {
  await using node = await runNode({ watches: { pendingBytesMax: MIB } });
  const identity = await issueClient(node.root);
  const admin = node.client(identity);
  await admin.version();
  using proxy = await between(node);
  const sessions = await Promise.all(Array.from({ length: 5 }, () => http2(proxy.port, identity)));
  const watches = () => sessions.flatMap((session) => [watchNotes(session), watchNotes(session)]);
  await Promise.all(watches().map((stream) => once(stream, "data")));
  proxy.stopReading();
  const before = await heldOutside();
  for (let i = 0; i < 20; i++)
    await node.store.create(Note, `${i}`, { text: `${i}`.padEnd(MIB, "x") });
  watches(); // of what is stored already
  for (let i = 0; i < 20; i++) await admin.version();
  expect((await admin.list(Note)).length).toBe(20);
  // Twenty watches, of 20 MiB each.
  expect((await heldOutside()) - before).toBeLessThan(150 * MIB);
  expect(node.apid.connectionsUnder(readCertificate(identity.crt).fingerprint)).toBe(6);
  for (const session of sessions) session.destroy();
});

test("thousands of watches that are opened and cancelled leave the connection to those that stay", async () => {
  await using node = await runNode();
  const identity = await issueClient(node.root);
  const session = await http2(node.apid.port, identity);
  const staying = watchNotes(session);
  await once(staying, "data");
  for (let i = 0; i < 2000; i++) {
    const stream = watchNotes(session);
    await once(stream, "data"); // it is armed
    stream.close(constants.NGHTTP2_CANCEL);
    await once(stream.resume(), "close");
  }
  staying.pause();
  await node.store.create(Note, "a", { text: "after all of them" });
  let text = "";
  for await (const bytes of staying) {
    text += String(bytes);
    if (text.includes("after all of them")) break;
  }
  expect(session.closed).toBe(false);
  expect(node.apid.connectionsUnder(readCertificate(identity.crt).fingerprint)).toBe(1);
  session.destroy();
});

test("a message of more than 32 MiB is refused, and its connection goes on", async () => {
  const received: number[] = [];
  await using node = await runNode({
    ports: {
      build: { sha: "", built: "" },
      applyConfiguration: async ({ data }) => {
        received.push(data.length);
        return { warnings: [], modeDetails: "" };
      },
      issueClientConfiguration: () => Promise.reject(new Error("not here")),
    },
  });
  const identity = await issueClient(node.root);
  const raw = rawClient(node, identity);
  const state = new StateClient("unused", undefined as never, {
    channelOverride: raw.getChannel(),
  });
  const watch = state.watch(watchRequest);
  watch.on("error", () => undefined);
  const messages = (watch as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  for (let i = 0; i < 2; i++) await messages.next(); // it is armed, and there is nothing
  const apply = (bytes: number) =>
    reply((done) =>
      raw.applyConfiguration(
        {
          ...{ data: Buffer.alloc(bytes, "x"), mode: Mode.AUTO, dryRun: false },
          tryModeTimeout: undefined,
        },
        done,
      ),
    );
  await expect(apply(32 * MIB)).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  await expect(apply(31 * MIB)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT, // it came through, and is too much for a configuration
    details: "the configuration is larger than 4 MiB",
  });
  await apply(3 * MIB);
  expect(received).toEqual([3 * MIB]);
  await node.store.create(Note, "a", { text: "" });
  expect((await messages.next()).done).toBe(false);
  expect(node.apid.connectionsUnder(readCertificate(identity.crt).fingerprint)).toBe(1);
  watch.cancel();
  raw.close();
});
