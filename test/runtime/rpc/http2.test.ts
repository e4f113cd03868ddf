import { status } from "@grpc/grpc-js";
import { once } from "node:events";
import { connect as connectHttp2, constants, type ClientHttp2Session } from "node:http2";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { at, manualClock, silentLogger, type ManualClock } from "#runtime";
import { openRpcServer, stateHandlers, type RpcServer } from "#runtime/rpc/http2";
import { openMemoryStore, type Store } from "#runtime/store";
import {
  CreateRequest,
  GetRequest,
  WatchRequest,
} from "../../../src/runtime/rpc/gen/v1alpha1/state.ts";

const GET = "/cosi.resource.State/Get";
const CREATE = "/cosi.resource.State/Create";
const WATCH = "/cosi.resource.State/Watch";

let clock: ManualClock;
let store: Store;
let server: RpcServer;
let session: ClientHttp2Session;

beforeEach(async () => {
  clock = manualClock(at("2030-01-01"));
  store = openMemoryStore();
  const log = silentLogger;
  const handlers = stateHandlers({
    core: store.core,
    kindOf: () => undefined,
    acceptUnknown: true,
    log,
  });
  server = openRpcServer({ handlers, clock, log });
  await server.listen({ host: "127.0.0.1", port: 0 });
  session = connectHttp2(`http://127.0.0.1:${server.port}`);
});

afterEach(async () => {
  session.destroy();
  await server.close();
  await store.close();
});

function framed(message: Uint8Array, { flag = 0, length = message.length } = {}): Buffer {
  const header = Buffer.alloc(5);
  header[0] = flag;
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, message]);
}

interface Answer {
  readonly http: number | undefined;
  readonly code: number;
  readonly message: string;
  readonly data: Buffer;
}

/** Sends these bytes as the body of a call. */
async function call(
  path: string,
  body: Uint8Array,
  headers = {},
  keepOpen = false,
): Promise<Answer> {
  const stream = session.request(
    {
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    },
    { endStream: false },
  );
  const data: Buffer[] = [];
  const found = new Map<string, unknown>();
  const note = (received: object) => {
    for (const [name, value] of Object.entries(received)) found.set(name, value);
  };
  stream.on("response", note).on("trailers", note);
  stream.on("data", (chunk: Buffer) => data.push(chunk));
  stream.on("error", () => undefined);
  if (keepOpen) stream.write(body);
  else stream.end(body);
  await once(stream, "close");
  return {
    http: found.get(":status") as number | undefined,
    code: Number(found.get("grpc-status")),
    message: decodeURIComponent((found.get("grpc-message") as string | undefined) ?? ""),
    data: Buffer.concat(data),
  };
}

const got = (id: string) =>
  framed(GetRequest.encode({ namespace: "n", type: "T", id, options: undefined }).finish());

const watched = (type: string) =>
  framed(
    WatchRequest.encode({
      ...{ namespace: "n", type, id: undefined, options: undefined, apiVersion: 1 },
    }).finish(),
  );

const created = (id: string, size: number) =>
  framed(
    CreateRequest.encode({
      resource: {
        metadata: {
          ...{ namespace: "n", type: "T", id, version: "undefined", owner: "", phase: "running" },
          ...{
            created: undefined,
            updated: undefined,
            finalizers: [],
            labels: {},
            annotations: {},
          },
        },
        spec: { protoSpec: Buffer.alloc(size, 1), yamlSpec: "" },
      },
      options: undefined,
    }).finish(),
  );

test.each([
  ["no protobuf", framed(Buffer.from([0xff, 0xff, 0xff]))],
  ["a field that is longer than the message", framed(Buffer.from([0x0a, 0x7f, 0x61]))],
  ["a text that is no UTF-8", framed(Buffer.from([0x0a, 0x02, 0xc3, 0x28]))],
  ["a group that never ends", framed(Buffer.from([0x0b]))],
  ["half a message", framed(Buffer.from([0x0a, 0x01]), { length: 9 })],
  ["no message", Buffer.alloc(0)],
  ["two messages", Buffer.concat([got("a"), got("a")])],
])("%s is INTERNAL, and the connection goes on", async (_, body) => {
  expect(await call(GET, body)).toMatchObject({ http: 200, code: status.INTERNAL });
  expect(await call(GET, got("a"))).toMatchObject({ code: status.NOT_FOUND });
});

test("a message that is compressed is UNIMPLEMENTED", async () => {
  const body = framed(Buffer.from([1]), { flag: 1 });
  expect(await call(GET, body)).toMatchObject({ code: status.UNIMPLEMENTED });
});

test("an unknown method is UNIMPLEMENTED, and what is no gRPC is refused", async () => {
  expect(await call("/cosi.resource.State/Get2", got("a"))).toMatchObject({
    code: status.UNIMPLEMENTED,
  });
  expect(await call("/__proto__", got("a"))).toMatchObject({ code: status.UNIMPLEMENTED });
  expect((await call(GET, got("a"), { "content-type": "text/plain" })).http).toBe(415);
});

test("a message of 32 MiB is taken, and one byte more refused before it has come", async () => {
  const overhead = created("big", 32 * 1024 * 1024).length - 32 * 1024 * 1024 - 5;
  const fits = created("big", 32 * 1024 * 1024 - overhead);
  expect(fits.length).toBe(32 * 1024 * 1024 + 5);
  expect(await call(CREATE, fits)).toMatchObject({ code: status.OK });
  expect((await call(GET, got("big"))).data.length).toBeGreaterThan(31 * 1024 * 1024);
  const header = framed(Buffer.alloc(0), { length: 32 * 1024 * 1024 + 1 });
  expect(await call(CREATE, header, {}, true)).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
});

test("what is wrong is told in words that any client can read", async () => {
  const { code, message } = await call(GET, got("ü/1%\n"));
  expect(code).toBe(status.NOT_FOUND);
  expect(message).toBe("resource T(n/ü/1%\n) doesn't exist");
});

/** Connections are taken in their order: once a later one is answered, the earlier have been. */
async function untilTaken(): Promise<void> {
  const before = session;
  session = connectHttp2(`http://127.0.0.1:${server.port}`);
  await call(GET, got("a"));
  before.destroy();
  await once(before, "close");
}

test("a thousand connections that say nothing are ended, and hinder nobody meanwhile", async () => {
  const ends: Promise<unknown>[] = [];
  for (let i = 0; i < 1000; i++) {
    const socket = connect({ host: "127.0.0.1", port: server.port ?? 0 });
    await once(socket, "connect"); // one by one: a system queues only so many
    socket.on("error", () => undefined);
    ends.push(once(socket.resume(), "close"));
  }
  await untilTaken();
  expect(server.connections).toBeGreaterThan(1000);
  expect(await call(CREATE, created("b", 1))).toMatchObject({ code: status.OK });
  clock.advanceTo(at("2030-01-01T00:00:09Z"));
  expect(server.connections).toBeGreaterThan(1000);
  clock.advanceTo(at("2030-01-01T00:00:11Z"));
  await Promise.all(ends);
  expect(await call(GET, got("b"))).toMatchObject({ code: status.OK });
  expect(server.connections).toBe(1);
  expect(clock.nextAlarm()).toBeUndefined();
});

test("a connection that speaks something else is ended", async () => {
  const socket = connect({ host: "127.0.0.1", port: server.port ?? 0 });
  socket.on("error", () => undefined);
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(socket.resume(), "close");
  expect(await call(GET, got("a"))).toMatchObject({ code: status.NOT_FOUND });
});

test("who cancels thousands of watches keeps the connection, and nothing of them is left", async () => {
  const headers = { ":method": "POST", ":path": WATCH, "content-type": "application/grpc" };
  for (let i = 0; i < 3000; i++) {
    const stream = session.request(headers, { endStream: false });
    stream.on("error", () => undefined);
    stream.end(watched("T"));
    await once(stream.resume(), "data"); // it is armed
    stream.close(constants.NGHTTP2_CANCEL);
    await once(stream, "close");
  }
  expect(await call(GET, got("a"))).toMatchObject({ code: status.NOT_FOUND });
  expect(server.calls).toBeLessThanOrEqual(1);
  expect(server.connections).toBe(1);
});

test("a watch ends with UNAVAILABLE when the server closes, also one that nobody reads", async () => {
  const watching = call(WATCH, watched("T"));
  await call(GET, got("a")); // the watch was asked for before it
  const closing = server.close();
  expect(await watching).toMatchObject({ code: status.UNAVAILABLE });
  session.destroy();
  await closing;
  expect(server.connections).toBe(0);
});

test("a connection that stays open is cut half a second after the server closes", async () => {
  const silent = connect({ host: "127.0.0.1", port: server.port ?? 0 });
  silent.on("error", () => undefined);
  const cut = once(silent.resume(), "close");
  await once(silent, "connect");
  await untilTaken();
  const closing = server.close();
  expect(server.connections).toBeGreaterThan(1);
  clock.advanceTo(at("2030-01-01T00:00:01Z"));
  await closing;
  await cut;
  expect(server.connections).toBe(0);
});
