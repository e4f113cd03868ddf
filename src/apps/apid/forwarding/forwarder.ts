/** Asks other nodes what this one was asked, with the roles of who asks. */
import { callOf, type Call } from "#runtime/rpc";
import type { ServerUnaryCall, ServerWritableStream } from "@grpc/grpc-js";
import { onwardHeaders } from "./headers.ts";
import type { Method, Onward, Peers } from "./peers.ts";

/** A call as the library has it. */
export type Received = Pick<
  ServerUnaryCall<unknown, unknown> & ServerWritableStream<unknown, unknown>,
  "request" | "metadata" | "getDeadline" | "getHost" | "getPath" | "getPeer"
>;

/** Passes a call on; replies come as bytes. */
export interface Forwarder {
  readonly unary: (node: string, call: Received, signal: AbortSignal) => Promise<Buffer>;
  readonly stream: (node: string, call: Received, signal: AbortSignal) => AsyncIterable<Buffer>;
  /** What a method's replies are read with. */
  readonly methodOf: (path: string) => Method;
  /** Makes a method known: others cannot be passed on. */
  readonly learn: (method: Method) => void;
}

/** Makes the forwarder. */
export function forwarderOf({
  peers,
  rolesOf,
}: {
  readonly peers: Peers;
  readonly rolesOf: (call: Call) => ReadonlySet<string>;
}): Forwarder {
  const methods = new Map<string, Method>();
  const methodOf = (path: string): Method => {
    const method = methods.get(path);
    if (method === undefined) throw new TypeError(`${path} is no method of this server`);
    return method;
  };
  const onward = (call: Received, signal: AbortSignal): Onward => ({
    method: methodOf(call.getPath()),
    request: call.request,
    headers: onwardHeaders(call.metadata, {
      authority: call.getHost(),
      roles: rolesOf(callOf(call)),
    }),
    deadline: call.getDeadline(),
    signal,
  });
  return {
    unary: (node, call, signal) => peers.unary(node, onward(call, signal)),
    stream: (node, call, signal) => peers.stream(node, onward(call, signal)),
    methodOf,
    learn: (method) => methods.set(method.path, method),
  };
}
