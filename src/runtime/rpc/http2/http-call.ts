/** One call: an HTTP/2 stream from its headers to its trailers. */
import { status } from "@grpc/grpc-js";
import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { UnaryCall } from "../call.ts";
import type { CallStatus } from "../status.ts";

const REPLY: OutgoingHttpHeaders = { ":status": 200, "content-type": "application/grpc" };
const DONE: OutgoingHttpHeaders = { "grpc-status": "0" };
const WITH_TRAILERS = { waitForTrailers: true };
const AT_ONCE = { endStream: true };

/** A stream as a call that is answered or fails, whichever comes first. */
export class HttpCall implements UnaryCall {
  readonly path: string;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  #trailers: OutgoingHttpHeaders = DONE;
  #over: AbortController | undefined;
  #begun = false;
  #ended = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.path = headers[":path"] ?? "";
    this.#stream = stream;
    this.#headers = headers;
  }

  get peer(): string {
    const { remoteAddress, remotePort } = this.#stream.session?.socket ?? {};
    return remoteAddress === undefined ? "unix" : `${remoteAddress}:${remotePort}`;
  }

  header(name: string): readonly string[] {
    const value = this.#headers[name];
    return value === undefined ? [] : String(value).split(/, */);
  }

  /** Aborted when the caller cancels, the connection ends, or {@link fail} ends the call. */
  get signal(): AbortSignal {
    this.#over ??= new AbortController();
    if (this.isOver) this.#over.abort();
    return this.#over.signal;
  }

  /** Whether nothing can be sent any longer. */
  get isOver(): boolean {
    return this.#ended || this.#stream.destroyed;
  }

  /** Tells those who wait for something that nobody is there any longer. */
  left(): void {
    this.#ended = true;
    this.#over?.abort();
  }

  /** Sends bytes. @returns whether there is room for more */
  write(bytes: Buffer, written?: () => void): boolean {
    this.#begin();
    return this.#stream.write(bytes, written);
  }

  /** Calls back when there is room again. */
  onceDrained(settle: () => void): void {
    this.#stream.once("drain", settle);
  }

  /** Ends the call well, with these bytes as the last. */
  end(bytes?: Buffer): void {
    if (this.isOver) return;
    this.#begin();
    this.#ended = true;
    if (bytes === undefined) this.#stream.end();
    else this.#stream.end(bytes);
  }

  /** Ends the call with a status, after what was sent. */
  fail({ code, details }: CallStatus): void {
    if (this.isOver) return;
    this.#ended = true;
    const trailers = { "grpc-status": String(code), "grpc-message": escaped(details) };
    if (this.#begun) {
      this.#trailers = trailers;
      this.#stream.end();
    } else this.#stream.respond({ ...REPLY, ...trailers }, AT_ONCE);
    this.#over?.abort();
    // A caller that still sends is told to stop.
    if (!this.#stream.readableEnded && code !== status.UNAVAILABLE)
      this.#stream.once("finish", () => this.#stream.close(constants.NGHTTP2_NO_ERROR));
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#stream.respond(REPLY, WITH_TRAILERS);
    this.#stream.once("wantTrailers", () => this.#stream.sendTrailers(this.#trailers));
  }
}

/** Percent-encoding, as `grpc-message` has it: of all but printable ASCII. */
const escaped = (text: string): string =>
  text.replace(/[^ -$&-~]+/gu, (part) =>
    Buffer.from(part)
      .toString("hex")
      .replace(/../g, (byte) => `%${byte.toUpperCase()}`),
  );
