/**
 * Methods whose replies name their node: a handler answers for this node, the router for all nodes
 * that the request names (talosctl-wire.md §1.4).
 */
import { serverStream, unary, type Call, type CallOptions, type Stream } from "#runtime/rpc";
import type { Answer } from "#runtime/rpc";
import { status, type handleServerStreamingCall, type handleUnaryCall } from "@grpc/grpc-js";
import type { Metadata } from "../rpc/gen/common/common.ts";
import { ForwardingError } from "./errors.ts";
import type { Target } from "./routing.ts";

/** A message that can name its node. */
export interface Named {
  metadata?: Metadata | undefined;
}

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
  readonly targetsOf: (call: Call) => readonly Target[];
}

const nothing = new Uint8Array();

/** Makes the router. */
export function routerOf(options: RouterOptions): Router {
  const { targetsOf } = options;
  return {
    unary: <Request, Message extends Named>(
      type: MessageOf<Message>,
      answer: Answer<Request, Body<Message>>,
    ) =>
      unary<Request, { messages: Message[] }>(async (request, call) => {
        const targets = targetsOf(call); // before anything is done
        const body = await answer(request, call);
        return { messages: forEachTarget(targets, { ...type.decode(nothing), ...body }, type) };
      }, options),
    stream: <Request, Message extends Named>(stream: Stream<Request, Body<Message>>) =>
      serverStream<Request, Message>((request, sink, call) => {
        const [target] = targetsOf(call);
        const metadata = target && metadataOf(target.hostname);
        const named = (body: Body<Message>) => ({ ...body, metadata }) as Message;
        return stream(
          request,
          {
            signal: sink.signal,
            send: (body) => sink.send(named(body)),
            deliver: (body) => sink.deliver(named(body)),
          },
          call,
        );
      }, options),
  };
}

/**
 * One message, or one for each node that the request named; a message for another node says that
 * nothing was done there.
 */
function forEachTarget<Message extends Named>(
  targets: readonly Target[],
  message: Message,
  type: MessageOf<Message>,
): Message[] {
  if (targets.length === 0) return [message];
  return targets.map(({ hostname, isLocal }) =>
    isLocal
      ? { ...message, metadata: metadataOf(hostname) }
      : { ...type.decode(nothing), metadata: notForwarded(hostname) },
  );
}

const metadataOf = (hostname: string): Metadata => ({ hostname, error: "", status: undefined });

function notForwarded(hostname: string): Metadata {
  const { message } = new ForwardingError();
  const embedded = { code: status.PERMISSION_DENIED, message, details: [] };
  return { hostname, error: message, status: embedded };
}
