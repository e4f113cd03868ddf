/**
 * The calls of talosctl as bytes on the wire: HTTP/2 over TLS with its settings and headers, and
 * nothing of our own client or of a gRPC library (talosctl-wire.md §1).
 */
import { once } from "node:events";
import { connect as connectHttp2, type ClientHttp2Stream } from "node:http2";
import { connect as connectTls } from "node:tls";
import type { MethodDefinition } from "@grpc/grpc-js";
import type { KeyedPem } from "#pki";
import { opensslKey } from "../../../../src/apps/rpc/openssl-key.ts";

/** Settings of every connection that talosctl opens. */
const STREAM_WINDOW = 65_535 * 32;
const CONNECTION_WINDOW = 65_535 * 16;
const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;

/** Which header names the node: `node` of talosctl since 1.14, `nodes` before. */
export type Generation = "node" | "nodes";
export const generations: readonly Generation[] = ["node", "nodes"];

/** How a call ended. */
export interface Status {
  readonly code: number;
  readonly message: string;
}

/** A call that is under way. */
export interface Call<Message> extends AsyncIterable<Message> {
  /** The next message. @throws {StatusError} when the call ends instead */
  next(): Promise<Message>;
  /** All that are left, of a call that ends well. @throws {StatusError} */
  all(): Promise<Message[]>;
  /** Drops what is left and says how it ended. */
  end(): Promise<Status>;
  /** As ctrl-C does. */
  cancel(): void;
}

/** A call ended otherwise than well, or earlier than expected. */
export class StatusError extends Error {
  readonly code: number;
  readonly details: string;
  constructor({ code, message }: Status) {
    super(`code = ${code} desc = ${message}`);
    this.code = code;
    this.details = message;
  }
}

/** Where and as whom to connect. */
export interface Dial {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly identity: KeyedPem;
  /** With several endpoints talosctl sends their whole list, whichever it has reached. */
  readonly authority?: string;
}

/** One connection; talosctl has one for each run. */
export interface Talosctl extends AsyncDisposable {
  /** What the server has presented, DER. */
  readonly presented: Uint8Array;
  /** Starts a call with a message, as both unary and streaming ones do. */
  call<Request, Message>(
    method: MethodDefinition<Request, Message>,
    request: Request,
    headers?: Readonly<Record<string, string | string[]>>,
  ): Call<Message>;
  /** A call that has exactly one message. @throws {StatusError} */
  unary<Request, Message>(
    method: MethodDefinition<Request, Message>,
    request: Request,
    headers?: Readonly<Record<string, string | string[]>>,
  ): Promise<Message>;
}

/**
 * Connects: ALPN h2, one client certificate, no SNI for an IP address, only the context's CA.
 *
 * @throws {Error} when the server turns the client away
 */
export async function dial({ host, port, ca, identity, authority }: Dial): Promise<Talosctl> {
  const socket = connectTls({
    ...{ host, port, ca, cert: identity.crt, key: opensslKey(identity.key) },
    ...{ ALPNProtocols: ["h2"], minVersion: "TLSv1.2" },
  });
  await once(socket, "secureConnect");
  const presented = Buffer.from(socket.getPeerX509Certificate()!.raw);
  const session = connectHttp2(`https://${host}:${port}`, {
    createConnection: () => socket,
    settings: { initialWindowSize: STREAM_WINDOW, enablePush: false },
  });
  session.on("error", () => undefined); // the calls tell
  const gone = new AbortController();
  socket.once("close", () => gone.abort(new Error("the server closed the connection")));
  await once(session, "remoteSettings", { signal: gone.signal });
  session.setLocalWindowSize(CONNECTION_WINDOW);
  const call = <Request, Message>(
    method: MethodDefinition<Request, Message>,
    request: Request,
    headers: Readonly<Record<string, string | string[]>> = {},
  ): Call<Message> => {
    const stream = session.request({
      ":method": "POST",
      ":scheme": "https",
      ":path": method.path,
      ":authority": authority ?? `${host}:${port}`,
      "content-type": "application/grpc",
      "user-agent": "grpc-go/1.83.0",
      te: "trailers",
      "grpc-accept-encoding": "gzip",
      runtime: "Talos",
      ...headers,
    });
    stream.end(frame(method.requestSerialize(request)));
    return following(stream, method.responseDeserialize);
  };
  return {
    ...{ presented, call },
    async unary(method, request, headers) {
      const messages = await call(method, request, headers).all();
      if (messages.length !== 1) throw new Error(`${method.path}: ${messages.length} messages`);
      return messages[0]!;
    },
    async [Symbol.asyncDispose]() {
      if (socket.destroyed) return;
      session.destroy();
      await once(socket, "close");
    },
  };
}

function frame(message: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** Reads frames and the status, and holds the answer to what a client of gRPC demands of it. */
function following<Message>(
  stream: ClientHttp2Stream,
  decode: (bytes: Buffer) => Message,
): Call<Message> {
  const { promise: status, resolve } = Promise.withResolvers<Status>();
  let found: Status = { code: 14, message: "the stream ended without a status" };
  const note = (headers: object) => {
    const values = new Map<string, unknown>(Object.entries(headers));
    const [code, text] = [values.get("grpc-status"), values.get("grpc-message")];
    if (values.has(":status")) {
      const type = String(values.get("content-type"));
      if (values.get(":status") !== 200 || !/^application\/grpc(?:\+proto)?$/.test(type))
        found = { code: 2, message: `no gRPC: ${String(values.get(":status"))} ${type}` };
    }
    if (typeof code === "string")
      found = {
        code: Number(code),
        message: decodeURIComponent(typeof text === "string" ? text : ""),
      };
  };
  stream.on("response", note).on("trailers", note);
  stream.on("error", () => undefined); // the status says it
  stream.on("close", () => resolve(found));
  const messages = framesOf(stream, decode);
  const next = async () => {
    const { value, done } = await messages.next();
    if (done !== true) return value;
    throw new StatusError(await status);
  };
  return {
    next,
    async end() {
      while ((await messages.next()).done !== true);
      return status;
    },
    async all() {
      const all: Message[] = [];
      for await (const message of messages) all.push(message);
      const ended = await status;
      if (ended.code !== 0) throw new StatusError(ended);
      return all;
    },
    cancel: () => stream.close(8),
    [Symbol.asyncIterator]: () => messages,
  };
}

async function* framesOf<Message>(stream: ClientHttp2Stream, decode: (bytes: Buffer) => Message) {
  let held = Buffer.alloc(0);
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (;;) {
    const chunk = await chunks.next().catch(() => undefined);
    if (chunk === undefined || chunk.done === true) return;
    held = Buffer.concat([held, chunk.value]);
    while (held.length >= 5 && held.length >= 5 + held.readUInt32BE(1)) {
      const length = held.readUInt32BE(1);
      if (held[0] !== 0) throw new Error("a compressed message");
      if (length > MESSAGE_BYTES_MAX) throw new Error(`a message of ${length} bytes`);
      yield decode(held.subarray(5, 5 + length));
      held = held.subarray(5 + length);
    }
  }
}
