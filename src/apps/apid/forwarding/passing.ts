/** Services that answer for this node, and for the one other node that a request names. */
import { callOf, serverStream, unary, type Call, type CallOptions } from "#runtime/rpc";
import type { handleServerStreamingCall, handleUnaryCall } from "@grpc/grpc-js";
import type { Route } from "../routing.ts";
import type { Service } from "../services.ts";
import type { Forwarder, Received } from "./forwarder.ts";
import type { Method } from "./peers.ts";

type Unary = handleUnaryCall<unknown, unknown>;
type Stream = handleServerStreamingCall<unknown, unknown>;

export interface PassingOptions extends CallOptions {
  readonly forwarder: Forwarder;
  readonly routeOf: (call: Call) => Route;
}

/** Puts forwarding in front of every method of a service. */
export function passing([definition, handlers]: Service, options: PassingOptions): Service {
  const methods = Object.entries<Method>(definition);
  const wrapped: Service[1] = {};
  for (const [name, method] of methods) {
    options.forwarder.learn(method);
    const local: unknown = handlers[name];
    if (local === undefined) continue;
    wrapped[name] = method.responseStream
      ? streamOf(local as Stream, options)
      : unaryOf(local as Unary, options);
  }
  return [
    Object.fromEntries(methods.map(([name, method]) => [name, takingBytes(method)])),
    wrapped,
  ];
}

const unaryOf =
  (local: Unary, options: PassingOptions): Unary =>
  (surface, callback) => {
    const node = otherNode(surface, options);
    if (node === undefined) {
      local(surface, callback);
      return;
    }
    const { forwarder } = options;
    const answer = (_: unknown, { signal }: { readonly signal: AbortSignal }) =>
      forwarder.unary(node, surface, signal);
    unary<unknown, unknown>(answer, options)(surface, callback);
  };

const streamOf =
  (local: Stream, options: PassingOptions): Stream =>
  (surface) => {
    const node = otherNode(surface, options);
    if (node === undefined) {
      local(surface);
      return;
    }
    const { forwarder } = options;
    serverStream<unknown, unknown>(async (_, sink) => {
      for await (const message of forwarder.stream(node, surface, sink.signal))
        await sink.send(message);
    }, options)(surface);
  };

/** The other node that a request is for, if there is no more to it than that. */
function otherNode(call: Received, { routeOf }: PassingOptions): string | undefined {
  if (call.metadata.get("node").length === 0) return undefined;
  try {
    const route = routeOf(callOf(call));
    return route.to === "another" ? route.node : undefined;
  } catch {
    return undefined; // refused in the handler, as every request that is wrong
  }
}

/** What another node has answered is bytes already. */
const takingBytes = (method: Method): Method => ({
  ...method,
  responseSerialize: (message) =>
    Buffer.isBuffer(message) ? message : method.responseSerialize(message),
});
