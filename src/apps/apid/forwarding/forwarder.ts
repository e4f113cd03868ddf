/** Asks other nodes what this one was asked, with the roles of who asks. */
import type { Clock } from "#runtime";
import { callOf, type Call } from "#runtime/rpc";
import type { ServerUnaryCall, ServerWritableStream } from "@grpc/grpc-js";
import { ADMIN } from "../roles.ts";
import { onwardHeaders } from "./headers.ts";
import { inTime } from "./in-time.ts";
import type { Origin } from "./origin.ts";
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
  clock,
  originOf,
}: {
  readonly peers: Peers;
  readonly clock: Clock;
  readonly rolesOf: (call: Call) => ReadonlySet<string>;
  readonly originOf: (call: Call) => Origin | undefined;
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
      origin: originOf(callOf(call)),
    }),
    deadline: call.getDeadline(),
    signal,
    tellsCause: rolesOf(callOf(call)).has(ADMIN),
  });
  return {
    unary(node, call, signal) {
      const ask = (until: AbortSignal) => peers.unary(node, onward(call, until));
      const isPatient = call.getDeadline() === Infinity;
      const hasOthers = call.metadata.get("nodes").length > 0;
      return isPatient && hasOthers ? inTime(node, { clock, signal }, ask) : ask(signal);
    },
    stream: (node, call, signal) => peers.stream(node, onward(call, signal)),
    methodOf,
    learn: (method) => methods.set(method.path, method),
  };
}
