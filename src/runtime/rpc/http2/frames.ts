/** Messages on a stream: a flag, a length, and so many bytes ("Length-Prefixed-Message" of gRPC). */
import { status } from "@grpc/grpc-js";
import { CallError } from "./call-error.ts";

const HEADER_BYTES = 5;

/** Puts a message behind its header. */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, HEADER_BYTES);
  return frame;
}

/** Puts messages behind their headers, in one piece. */
export function framedTogether(messages: readonly Buffer[], bytes: number): Buffer {
  const frames = Buffer.allocUnsafe(HEADER_BYTES * messages.length + bytes);
  let at = 0;
  for (const message of messages) {
    frames[at] = 0;
    frames.writeUInt32BE(message.length, at + 1);
    message.copy(frames, at + HEADER_BYTES);
    at += HEADER_BYTES + message.length;
  }
  return frames;
}

/** Gathers the one message of a request. */
export class RequestReader {
  readonly #bytesMax: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #length: number | undefined;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * Takes what came.
   *
   * @returns the message when all of it is there
   * @throws {CallError} when it is larger than allowed, compressed, or more than one message
   */
  take(chunk: Buffer): Buffer | undefined {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < HEADER_BYTES) return undefined;
    this.#length ??= this.#checkedLength(this.#joined());
    const wanted = HEADER_BYTES + this.#length;
    if (this.#bytes < wanted) return undefined;
    if (this.#bytes > wanted) throw new CallError(status.INTERNAL, "more than one message");
    return this.#joined().subarray(HEADER_BYTES);
  }

  #joined(): Buffer {
    const [only] = this.#chunks;
    const all = this.#chunks.length === 1 && only ? only : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  #checkedLength(bytes: Buffer): number {
    if (bytes[0] !== 0) throw new CallError(status.UNIMPLEMENTED, "messages cannot be compressed");
    const length = bytes.readUInt32BE(1);
    if (length > this.#bytesMax)
      throw new CallError(
        status.RESOURCE_EXHAUSTED,
        `the message has ${length} bytes, and ${this.#bytesMax} are allowed`,
      );
    return length;
  }
}
