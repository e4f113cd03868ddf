/**
 * Methods whose replies name their node: a handler answers for this node, the router for all nodes
 * that the request names (talosctl-wire.md §1.4).
 */
import {
  failure,
  runtimeStatuses,
  serverStream,
  statusOf,
  unary,
  type Call,
  type CallOptions,
} from "#runtime/rpc";
import type { Answer, CallStatus, Stream } from "#runtime/rpc";
import { status, type handleServerStreamingCall, type handleUnaryCall } from "@grpc/grpc-js";
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
  /** Told how a call for several nodes ended at each of them. */
  readonly ended?: (call: Call, node: string, outcome: CallStatus) => void;
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
          const telling = tellerOf(call, options);
          const targets = targetsOf(routeOf(call)); // before anything is done
          if (targets === undefined) return { messages: [await own()] };
          const { responseDeserialize } = forwarder.methodOf(call.path);
          const ask = async (node: string) => {
            const bytes = await forwarder.unary(node, surface, call.signal);
            return (responseDeserialize(bytes) as { messages: Message[] }).messages;
          };
          const merging = {
            own: () => telling(HERE, own),
            ask: (node: string) => telling(node, () => ask(node)),
            empty,
            statusOf: statusIn(call),
          };
          return { messages: await mergeReplies(targets, merging) };
        }, options)(surface, callback),
    stream:
      <Request, Message extends Named>(
        stream: Stream<Request, Body<Message>>,
      ): handleServerStreamingCall<Request, Message> =>
      (surface) =>
        serverStream<Request, Message>(async (request, sink, call) => {
          const own = (to: Parameters<typeof stream>[1]) => stream(request, to, call);
          const telling = tellerOf(call, options);
          const targets = targetsOf(routeOf(call));
          if (targets === undefined) return own(sink);
          const { responseDeserialize } = forwarder.methodOf(call.path);
          const message = (bytes: Buffer) => responseDeserialize(bytes) as Message;
          const ask = (node: string) => {
            const messages = forwarder.stream(node, surface, sink.signal);
            return toldOf(messages, message, (next) => telling(node, next));
          };
          return mergeStreams(targets, sink, {
            own: (to) => telling(HERE, () => own(to)),
            ask,
            empty: () => message(nothing),
            statusOf: statusIn(call),
          });
        }, options)(surface),
  };
}

/** Undefined when this node alone answers, without a name. */
function targetsOf(route: Route): readonly Target[] | undefined {
  // It was passed on before it came here, or could be a moment ago.
  if (route.to === "another") throw new ForwardingError();
  return route.to === "each" ? route.targets : undefined;
}

/** This node, among several. */
const HERE = "this node";
const fine: CallStatus = { code: status.OK, details: "" };

/** Tells how each node's part of a call ends, which the call itself does not show. */
const tellerOf =
  (call: Call, { ended, statuses = [runtimeStatuses] }: RouterOptions) =>
  async <T>(node: string, part: () => Promise<T>): Promise<T> => {
    try {
      const result = await part();
      ended?.(call, node, fine);
      return result;
    } catch (error) {
      ended?.(call, node, statusOf(error, call.path, statuses));
      throw error;
    }
  };

/** Reads messages, each of which is told of as a part of the call, and so is their end. */
async function* toldOf<Message>(
  from: AsyncIterable<Buffer>,
  read: (bytes: Buffer) => Message,
  telling: <T>(part: () => Promise<T>) => Promise<T>,
): AsyncGenerator<Message> {
  const messages = from[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await telling(() => messages.next());
      if (next.done === true) return;
      yield read(next.value);
    }
  } finally {
    await messages.return?.();
  }
}
