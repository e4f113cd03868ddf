/** The other nodes, as this one calls them: in its own name, with what it is as a client. */
import type { Clock, Logger } from "#runtime";
import type { Deadline, Metadata, MethodDefinition } from "@grpc/grpc-js";
import { createSecureContext, type SecureContext } from "node:tls";
import { ForwardingError } from "../errors.ts";
import { checkMaterial, type ListenerMaterial } from "../material.ts";
import { failureOf, NodeUnreachedError } from "./errors.ts";
import { CONNECT_MAX, openPeer, peerKey, type Peer, type PeerOptions } from "./peer.ts";
import { canonicalName } from "../routing.ts";
import { placeOf } from "./place.ts";

/** A method of some service; what it takes and gives is for others to know. */
export type Method = MethodDefinition<unknown, unknown>;

/** A call to pass on. */
export interface Onward {
  readonly method: Method;
  readonly request: unknown;
  readonly headers: Metadata;
  readonly deadline: Deadline;
  /** Ends the call. */
  readonly signal: AbortSignal;
  /** Whether who asks may know why a node cannot be reached. */
  readonly tellsCause: boolean;
}

/**
 * Calls fail with {@link NodeUnreachedError}, NodeNameError, the status of the node, or
 * {@link ForwardingError} without an identity.
 */
export interface Peers {
  /** Whether this node has something to show to others. */
  readonly canCall: () => boolean;
  /** Takes another identity and other authorities; calls on the way go on. */
  readonly identify: (material: ListenerMaterial) => void;
  /** The reply of one other node, as it came. */
  readonly unary: (node: string, call: Onward) => Promise<Buffer>;
  /** The messages of one other node, as they come; to leave the loop ends the call. */
  readonly stream: (node: string, call: Onward) => AsyncIterable<Buffer>;
  readonly close: () => void;
}

export interface PeersOptions extends Pick<PeerOptions, "keepalive"> {
  readonly clock: Clock;
  readonly log: Logger;
  /** Where this node listens, and calls from. */
  readonly address: string;
  /** Where nodes without a port are called. */
  readonly port: () => number;
  /** Addresses and names of the nodes that may have other ports. */
  readonly members?: () => Iterable<string>;
  readonly messageBytesMax: number;
}

/** Starts without an identity and without connections. */
export function openPeers(options: PeersOptions): Peers {
  const { log, members = () => [] } = options;
  const isMember = (host: string) =>
    [...members()].some((member) => canonicalName(member) === canonicalName(host));
  let identity: { readonly said: string; readonly context: SecureContext } | undefined;
  const current = new Map<string, Peer>();
  const open = new Set<Peer>();

  const peerAt = (node: string): Peer => {
    if (identity === undefined) throw new ForwardingError();
    const endpoint = placeOf(node, { port: options.port(), isMember });
    const key = peerKey(endpoint);
    const held = current.get(key);
    if (held !== undefined) return held;
    const onClose = () => {
      open.delete(peer);
      if (current.get(key) === peer) current.delete(key);
    };
    const peer = openPeer({ ...options, endpoint, context: identity.context, onClose });
    open.add(peer);
    current.set(key, peer);
    return peer;
  };

  return {
    canCall: () => identity !== undefined,
    identify(material) {
      const said = JSON.stringify([material.client, material.ca]);
      if (said === identity?.said) return;
      try {
        const context = contextOf(material);
        identity = context && { said, context };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        log.error({ reason }, "requests are passed on with the former certificate");
        return;
      }
      const former = [...current.values()];
      current.clear();
      for (const peer of former) peer.retire();
    },
    async unary(node, call) {
      try {
        return await unaryCall(peerAt(node), node, call);
      } catch (error) {
        throw told(error, call, log);
      }
    },
    async *stream(node, call) {
      try {
        yield* streamCall(peerAt(node), node, call);
      } catch (error) {
        throw told(error, call, log);
      }
    },
    close: () => [...open].forEach((peer) => peer.close()),
  };
}

/** Undefined without a client certificate. */
function contextOf({ client, ca }: ListenerMaterial): SecureContext | undefined {
  if (client === undefined) return undefined;
  return createSecureContext(checkMaterial({ key: client.key, cert: client.crt, ca }).context);
}

/** The cause of a failure goes to the log; who asks hears it if it is theirs to know. */
function told(error: unknown, { tellsCause }: Onward, log: Logger): Error {
  if (!(error instanceof NodeUnreachedError)) return asError(error);
  const { node, reason } = error;
  log.info({ node, reason }, "a node cannot be reached");
  return tellsCause ? error : new NodeUnreachedError(node);
}

const itself = (bytes: Buffer): Buffer => bytes;

/** Holds a connection for a call, which ends with the signal, and when it is not connected in time. */
function watched(peer: Peer, signal: AbortSignal, cancel: () => void) {
  const state = { late: false };
  const release = peer.hold(() => {
    state.late = true;
    cancel();
  });
  signal.addEventListener("abort", cancel);
  return {
    over() {
      signal.removeEventListener("abort", cancel);
      release();
    },
    reason: (error: unknown, node: string): unknown =>
      state.late
        ? new NodeUnreachedError(node, `no connection within ${CONNECT_MAX / 1000} s`)
        : failureOf(error, node),
  };
}

const startOf = ({ method, request, headers, deadline }: Onward) =>
  [method.path, method.requestSerialize, itself, request, headers, { deadline }] as const;

function unaryCall(peer: Peer, node: string, onward: Onward): Promise<Buffer> {
  const { signal } = onward;
  return new Promise((resolve, reject) => {
    const cancel = () => call.cancel();
    const watch = watched(peer, signal, cancel);
    const call = peer.client.makeUnaryRequest(...startOf(onward), (error, bytes) => {
      watch.over();
      if (bytes !== undefined) resolve(bytes);
      else reject(asError(watch.reason(error, node)));
    });
    if (signal.aborted) cancel();
  });
}

async function* streamCall(peer: Peer, node: string, onward: Onward): AsyncGenerator<Buffer, void> {
  const { signal } = onward;
  const cancel = () => call.cancel();
  const watch = watched(peer, signal, cancel);
  const call = peer.client.makeServerStreamRequest(...startOf(onward));
  call.on("error", () => undefined); // also after nobody listens any longer
  if (signal.aborted) cancel();
  try {
    yield* call as AsyncIterable<Buffer>;
  } catch (error) {
    throw asError(watch.reason(error, node));
  } finally {
    cancel();
    watch.over();
  }
}

const asError = (failure: unknown): Error =>
  failure instanceof Error ? failure : new Error("a call failed", { cause: failure });
