/**
 * Methods whose replies name their node: a handler answers for this node, the router for all nodes
 * that the request names (talosctl-wire.md §1.4).
 */
import { failure, serverStream, unary, type Call, type CallOptions } from "#runtime/rpc";
import type { Answer, Stream } from "#runtime/rpc";
import type { handleServerStreamingCall, handleUnaryCall } from "@grpc/grpc-js";
import { ForwardingError } from "./errors.ts";
import type { Forwarder } from "./forwarding/forwarder.ts";
import { mergeReplies, mergeStreams, type Named } from "./forwarding/merge.ts";
import type { Route, Target } from "./routing.ts";

export type { Named } from "./forwarding/merge.ts";

/** What a handler says for this node; who it is from is added by the router. */
export type Body<Message extends Named> = Omit<Message, "metadata">;

/** How a message without contents is made. */
export interface MessageOf<Message> {
  decode(bytes: Uint8Array): Message;
}

/** Makes handlers of a server out of what this node answers. */
export interface Router {
  /** A method with one message a node. */
  readonly unary: <Request, Message extends Named>(
    type: MessageOf<Message>,
    answer: Answer<Request, Body<Message>>,
  ) => handleUnaryCall<Request, { messages: Message[] }>;
  /** A method with a stream of messages. */
  readonly stream: <Request, Message extends Named>(
    stream: Stream<Request, Body<Message>>,
  ) => handleServerStreamingCall<Request, Message>;
}

/** What the router needs. */
export interface RouterOptions extends CallOptions {
  readonly routeOf: (call: Call) => Route;
  /** Asks the other nodes. */
  readonly forwarder: Pick<Forwarder, "unary" | "stream" | "methodOf">;
}

const nothing = Buffer.alloc(0);

/** Makes the router. */
export function routerOf(options: RouterOptions): Router {
  const { routeOf, forwarder } = options;
  const statusIn = (call: Call) => (error: unknown) => failure(error, call, options);
  return {
    unary:
      <Request, Message extends Named>(
        type: MessageOf<Message>,
        answer: Answer<Request, Body<Message>>,
      ): handleUnaryCall<Request, { messages: Message[] }> =>
      (surface, callback) =>
        unary<Request, { messages: Message[] }>(async (request, call) => {
          const empty = () => type.decode(nothing);
          const own = async () => ({ ...empty(), ...(await answer(request, call)) });
          const targets = targetsOf(routeOf(call)); // before anything is done
          if (targets === undefined) return { messages: [await own()] };
          const { responseDeserialize } = forwarder.methodOf(call.path);
          const ask = async (node: string) => {
            const bytes = await forwarder.unary(node, surface, call.signal);
            return (responseDeserialize(bytes) as { messages: Message[] }).messages;
          };
          const merging = { own, ask, empty, statusOf: statusIn(call) };
          return { messages: await mergeReplies(targets, merging) };
        }, options)(surface, callback),
    stream:
      <Request, Message extends Named>(
        stream: Stream<Request, Body<Message>>,
      ): handleServerStreamingCall<Request, Message> =>
      (surface) =>
        serverStream<Request, Message>(async (request, sink, call) => {
          const own = (to: Parameters<typeof stream>[1]) => stream(request, to, call);
          const targets = targetsOf(routeOf(call));
          if (targets === undefined) return own(sink);
          const { responseDeserialize } = forwarder.methodOf(call.path);
          const message = (bytes: Buffer) => responseDeserialize(bytes) as Message;
          const ask = (node: string) =>
            mapped(forwarder.stream(node, surface, sink.signal), message);
          const empty = () => message(nothing);
          return mergeStreams(targets, sink, { own, ask, empty, statusOf: statusIn(call) });
        }, options)(surface),
  };
}

/** Undefined when this node alone answers, without a name. */
function targetsOf(route: Route): readonly Target[] | undefined {
  // It was passed on before it came here, or could be a moment ago.
  if (route.to === "another") throw new ForwardingError();
  return route.to === "each" ? route.targets : undefined;
}

async function* mapped<From, To>(from: AsyncIterable<From>, map: (one: From) => To) {
  for await (const one of from) yield map(one);
}
