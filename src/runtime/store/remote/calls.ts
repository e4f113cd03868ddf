/** Calls of a client as promises and streams of this process. */
import {
  credentials,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ServiceError,
} from "@grpc/grpc-js";
import { StateClient } from "../../rpc/gen/v1alpha1/state.ts";

const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;
/** An event tells of a resource as it is and as it was, and a server adds to what it was sent. */
const EVENT_BYTES_MAX = 2 * MESSAGE_BYTES_MAX + 1024 * 1024;
const WINDOW_BYTES = 4 * 1024 * 1024;
/** With hundreds in flight on one connection, grpc-js (1.14) can stop reading for good. */
const CALLS_MAX = 64;

/**
 * Connects to a server, when it is first called.
 *
 * @param address `unix:PATH`, or host and port
 */
export const connectTo = (address: string): StateClient =>
  new StateClient(address, credentials.createInsecure(), {
    "grpc.max_receive_message_length": EVENT_BYTES_MAX,
    "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
    "grpc-node.flow_control_window": WINDOW_BYTES,
    "grpc.enable_http_proxy": 0,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 5000,
    "grpc.use_local_subchannel_pool": 1,
  });

/** The reply to a call that is answered once. */
export const reply = <Response>(
  start: (callback: (error: ServiceError | null, response: Response) => void) => ClientUnaryCall,
): Promise<Response> =>
  new Promise((resolve, reject) => {
    start((error, response) => {
      if (error) reject(error);
      else resolve(response);
    });
  });

/** Everything that a stream sends. */
export const all = <Message>(stream: ClientReadableStream<Message>): Promise<Message[]> =>
  new Promise((resolve, reject) => {
    const messages: Message[] = [];
    stream.on("data", (message: Message) => messages.push(message));
    stream.once("end", () => resolve(messages));
    stream.once("error", reject);
  });

/** Lets so many calls be in flight at once; others wait in the order in which they came. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(free = CALLS_MAX) {
    this.#free = free;
  }

  async take<T>(call: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await call();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
