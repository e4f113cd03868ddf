/** A connection to another node, for as long as there are calls on it, and a while longer. */
import { minutes, ringAfter, seconds, type Clock } from "#runtime";
import { ChannelCredentials, Client, connectivityState } from "@grpc/grpc-js";
import { checkServerIdentity, type SecureContext } from "node:tls";
import { formatEndpoint, type Endpoint } from "../../client/index.ts";
import { dialling } from "./dial.ts";

/** How long a node has to take a connection. */
export const CONNECT_MAX = seconds(10);
/** How long a connection without calls is kept. */
const IDLE_MAX = minutes(5);
/** After that long a silence a node with calls is asked whether it is there, and how long it has for that. */
const KEEPALIVE = { every: seconds(10), patience: seconds(5) };
const WINDOW_BYTES = 2 * 1024 * 1024;

export interface PeerOptions {
  readonly endpoint: Endpoint;
  /** Where this node listens. */
  readonly address: string;
  /** Who this node is, and which authorities it accepts. */
  readonly context: SecureContext;
  readonly messageBytesMax: number;
  readonly clock: Clock;
  /** How a node is noticed that is silent for good; ms. */
  readonly keepalive?: { readonly every: number; readonly patience: number };
  /** Called once. */
  readonly onClose: () => void;
}

export interface Peer {
  readonly client: Client;
  /**
   * Holds the connection for a call.
   *
   * @param onLate called when there is no connection in time
   * @returns a function to call once, when the call is over
   */
  readonly hold: (onLate: () => void) => () => void;
  /** Takes no more calls: it closes when the last one is over. */
  readonly retire: () => void;
  readonly close: () => void;
}

/** Nothing is dialled before the first call. */
export function openPeer(options: PeerOptions): Peer {
  const { clock } = options;
  const giveUp = new AbortController();
  const client = clientOf(options, giveUp.signal);
  const isConnected = () =>
    client.getChannel().getConnectivityState(false) === connectivityState.READY;
  let calls = 0;
  let isRetired = false;
  let isClosed = false;
  let cancelIdle: () => void = () => undefined;

  const close = () => {
    if (isClosed) return;
    isClosed = true;
    cancelIdle();
    if (!isConnected()) giveUp.abort();
    client.close();
    options.onClose();
  };
  const release = () => {
    calls -= 1;
    if (calls > 0) return;
    // One that is not connected is dialled anew by the next call, which does not wait for a backoff.
    if (isRetired || !isConnected()) close();
    else cancelIdle = ringAfter(clock, IDLE_MAX, close);
  };
  return {
    client,
    hold(onLate) {
      calls += 1;
      cancelIdle();
      const look = () => isConnected() || onLate();
      const cancelLate = isConnected() ? undefined : ringAfter(clock, CONNECT_MAX, look);
      return () => {
        cancelLate?.();
        release();
      };
    },
    retire() {
      isRetired = true;
      if (calls === 0) close();
    },
    close,
  };
}

function clientOf(
  { endpoint, address, context, messageBytesMax, keepalive = KEEPALIVE }: PeerOptions,
  giveUp: AbortSignal,
): Client {
  const { target, options } = dialling(endpoint, address, giveUp);
  const credentials = ChannelCredentials.createFromSecureContext(context, {
    checkServerIdentity: (_, certificate) => checkServerIdentity(endpoint.host, certificate),
  });
  return new Client(target, credentials, {
    ...options,
    "grpc.use_local_subchannel_pool": 1, // what is closed here is closed
    "grpc.enable_retries": 0, // whether something is asked twice is for the caller to say
    "grpc.max_receive_message_length": messageBytesMax,
    "grpc.keepalive_time_ms": keepalive.every,
    "grpc.keepalive_timeout_ms": keepalive.patience,
    "grpc-node.flow_control_window": WINDOW_BYTES,
  });
}

/** As it stands in the list of connections. */
export const peerKey = (endpoint: Endpoint): string => formatEndpoint(endpoint).toLowerCase();
