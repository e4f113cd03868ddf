/** Bytes as a stream of `common.Data`. */
import type { Sink } from "#runtime/rpc";
import type { Data } from "../../rpc/gen/common/common.ts";
import type { Body } from "../router.ts";

/** What fits into a frame of HTTP/2 several times over, and into no limit of messages. */
const CHUNK_BYTES = 64 * 1024;

/** Sends all of them, as fast as they are taken. */
export async function sendBytes(bytes: Uint8Array, sink: Sink<Body<Data>>): Promise<void> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
    await sink.send({ bytes: Buffer.from(bytes.subarray(at, at + CHUNK_BYTES)) });
}
