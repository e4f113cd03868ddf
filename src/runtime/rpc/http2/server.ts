/**
 * gRPC over plain HTTP/2, for a server that is all about State: no TLS, no compression, one request
 * message. It carries several times as many calls as the general library does.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import { status } from "@grpc/grpc-js";
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { ListenOptions } from "node:net";
import type { Clock } from "../../clock.ts";
import { after, seconds } from "../../instant.ts";
import type { CallOptions } from "../call.ts";
import { CallError } from "./call-error.ts";
import { RequestReader } from "./frames.ts";
import type { Handler } from "./handlers.ts";
import { HttpCall } from "./http-call.ts";

/** How long a connection may take to say that it speaks HTTP/2. */
const HANDSHAKE = seconds(10);
/** How long calls have to end by themselves when the server closes. */
const GRACE = seconds(0.5);
/** At once on a connection: a program has one for all of its watches, and waits when there are more. */
const STREAMS_MAX = 100_000;
/** How much a caller may send before it hears that it may go on. */
const WINDOW_BYTES = 1024 * 1024;
const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;
/**
 * A client that leaves its watches resets their streams; by default a thousand and then 33 a second
 * end its connection, and with it the calls that others have there.
 */
const RESETS_PER_SECOND_MAX = 1_000_000;
/** How many connections may wait to be taken, where the system allows it. */
const BACKLOG = 4096;

/** Options of {@link openRpcServer}. */
export interface RpcServerOptions extends Pick<CallOptions, "log"> {
  /** By full path, `/package.Service/Method`. */
  readonly handlers: Readonly<Record<string, Handler>>;
  readonly clock: Clock;
  /** Default 32 MiB. */
  readonly messageBytesMax?: number;
}

/** A server that may listen. */
export interface RpcServer extends AsyncDisposable {
  /** Resolves when connections are taken; rejects as `net.Server` fails. */
  listen(where: ListenOptions): Promise<void>;
  /** The port that was chosen, of a server that listens on one. */
  readonly port: number | undefined;
  /** How many connections are open. */
  readonly connections: number;
  /** How many calls are being answered. */
  readonly calls: number;
  /** Ends every call and connection, by force after half a second. */
  close(): Promise<void>;
}

/** Makes a server. */
export function openRpcServer(options: RpcServerOptions): RpcServer {
  return new Http2RpcServer(options);
}

class Http2RpcServer implements RpcServer {
  readonly #server: Http2Server;
  readonly #options: RpcServerOptions;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #calls = new Set<HttpCall>();
  #closed: Promise<void> | undefined;

  constructor(options: RpcServerOptions) {
    this.#options = options;
    this.#server = createServer({
      settings: {
        maxConcurrentStreams: STREAMS_MAX,
        initialWindowSize: WINDOW_BYTES,
        enablePush: false,
      },
      streamResetBurst: RESETS_PER_SECOND_MAX,
      streamResetRate: RESETS_PER_SECOND_MAX,
      // Memory is bounded by the size of messages; this would cut connections in the middle of one.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    });
    this.#server.on("session", (session) => this.#hold(session));
    this.#server.on("stream", (stream, headers) => this.#receive(stream, headers));
    this.#server.on("sessionError", (error) =>
      options.log.debug({ err: error }, "connection failed"),
    );
  }

  get port(): number | undefined {
    const address = this.#server.address();
    return typeof address === "object" ? address?.port : undefined;
  }

  get connections(): number {
    return this.#sessions.size;
  }

  get calls(): number {
    return this.#calls.size;
  }

  listen(where: ListenOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ backlog: BACKLOG, ...where }, () => {
        this.#server.off("error", reject);
        this.#server.on("error", (error: Error) =>
          this.#options.log.error({ err: error }, "listener failed"),
        );
        resolve();
      });
    });
  }

  close = (): Promise<void> => (this.#closed ??= this.#close());

  [Symbol.asyncDispose] = this.close;

  async #close(): Promise<void> {
    const { clock } = this.#options;
    const gone = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const ended = [...this.#sessions].map(
      (session) => new Promise<void>((resolve) => session.once("close", resolve)),
    );
    for (const call of this.#calls)
      call.fail({ code: status.UNAVAILABLE, details: "the server is stopping" });
    for (const session of this.#sessions) session.close();
    const cancel = clock.alarm(after(clock.now(), GRACE), () => {
      for (const session of this.#sessions) session.destroy();
    });
    await Promise.all([gone, ...ended]);
    cancel();
  }

  /** A connection that does not begin to speak HTTP/2 in time is ended. */
  #hold(session: ServerHttp2Session): void {
    const { clock, log } = this.#options;
    this.#sessions.add(session);
    const cancel = clock.alarm(after(clock.now(), HANDSHAKE), () => {
      log.info({}, "a connection said nothing and was ended");
      session.destroy();
    });
    session.once("remoteSettings", cancel);
    session.setLocalWindowSize(WINDOW_BYTES * 4);
    session.once("close", () => {
      cancel();
      this.#sessions.delete(session);
    });
  }

  #receive(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on("error", () => undefined); // its end says it all
    // Reset without an error it would stay, and its connection with it, even when that is gone.
    stream.once("aborted", () => stream.destroy());
    stream.once("end", () => stream.closed && stream.destroy());
    const type = headers["content-type"] ?? "";
    if (headers[":method"] !== "POST" || !/^application\/grpc(?:$|[+;])/.test(type)) {
      stream.respond({ ":status": 415 }, { endStream: true });
      return;
    }
    const call = new HttpCall(stream, headers);
    this.#calls.add(call);
    stream.once("close", () => {
      this.#calls.delete(call);
      call.left();
    });
    const handler = this.#options.handlers[call.path];
    if (handler === undefined)
      call.fail({ code: status.UNIMPLEMENTED, details: `unknown method ${call.path}` });
    else if (this.#closed)
      call.fail({ code: status.UNAVAILABLE, details: "the server is stopping" });
    else this.#read(stream, call, handler);
  }

  #read(stream: ServerHttp2Stream, call: HttpCall, handler: Handler): void {
    const reader = new RequestReader(this.#options.messageBytesMax ?? MESSAGE_BYTES_MAX);
    let handled = false;
    stream.on("data", (chunk: Buffer) => {
      if (call.isOver || chunk.length === 0) return;
      try {
        const request = reader.take(chunk);
        if (request === undefined) return;
        handled = true;
        handler(request, call);
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        call.fail(error);
      }
    });
    stream.on("end", () => {
      if (!handled) call.fail({ code: status.INTERNAL, details: "the request is incomplete" });
    });
  }
}
