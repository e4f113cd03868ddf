/** A channel to one endpoint, and calls that fail in words. */
import type { Clock } from "#runtime";
import { StateClient } from "#runtime/rpc/client";
import {
  ChannelCredentials,
  Metadata,
  status,
  type ClientReadableStream,
  type ServiceError,
  type VerifyOptions,
} from "@grpc/grpc-js";
import { isIP } from "node:net";
import { checkServerIdentity, createSecureContext, type SecureContextOptions } from "node:tls";
import { ClusterServiceClient } from "../rpc/gen/cluster/cluster.ts";
import { ControlServiceClient } from "../rpc/gen/control/control.ts";
import { InspectServiceClient } from "../rpc/gen/inspect/inspect.ts";
import { MachineServiceClient } from "../rpc/gen/machine/machine.ts";
import { TimeServiceClient } from "../rpc/gen/time/time.ts";
import { opensslKey } from "../rpc/openssl-key.ts";
import { diagnose } from "./diagnosis.ts";
import { targetOf, type Endpoint } from "./endpoint.ts";
import { CallFailedError } from "./errors.ts";
import type { Identity } from "./own-certificate.ts";

/** Talos' limit for a message. */
const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;
const WINDOW_BYTES = 2 * 1024 * 1024;

/** The services of one endpoint. Nothing is dialed before the first call. */
export interface Connection {
  readonly endpoint: Endpoint;
  readonly state: StateClient;
  readonly machine: MachineServiceClient;
  readonly inspect: InspectServiceClient;
  readonly time: TimeServiceClient;
  readonly cluster: ClusterServiceClient;
  readonly control: ControlServiceClient;
  /** What stood in the way of a call that could not be made. */
  diagnose(failure: ServiceError): Promise<Error>;
  close(): void;
}

/** How a connection is secured, and how its failures are told. */
export interface Security {
  readonly context: SecureContextOptions;
  readonly verify: VerifyOptions;
  readonly diagnose: (failure: ServiceError) => Promise<Error>;
}

/** Prepares a connection. */
export function openConnection(endpoint: Endpoint, identity: Identity, clock: Clock): Connection {
  const context: SecureContextOptions = {
    ...(identity.ca !== "" && { ca: identity.ca }),
    cert: identity.crt,
    key: opensslKey(identity.key),
    minVersion: "TLSv1.2",
    allowPartialTrustChain: true, // what is in `ca` is a root here, whoever issued it
  };
  const { host } = endpoint;
  return connectionBy(endpoint, {
    context,
    verify: { checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate) },
    async diagnose(failure) {
      const tls = { ...context, ALPNProtocols: ["h2"], ...(!isIP(host) && { servername: host }) };
      const found = await diagnose({ endpoint, identity, tls, clock });
      return found ?? new CallFailedError(failure, { cause: failure });
    },
  });
}

/** Prepares a connection that is secured otherwise. */
export function connectionBy(
  endpoint: Endpoint,
  { context, verify, diagnose: explain }: Security,
): Connection {
  const { host } = endpoint;
  const credentials = ChannelCredentials.createFromSecureContext(
    createSecureContext(context),
    verify,
  );
  const options = {
    "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
    "grpc-node.flow_control_window": WINDOW_BYTES,
    // No address may be sent as a server name, and the library sends one unless it has another name.
    ...(isIP(host) && { "grpc.ssl_target_name_override": "node.invalid" }),
    ...(isLoopback(host) && { "grpc.enable_http_proxy": 0 }),
  };
  const target = targetOf(endpoint);
  const state = new StateClient(target, credentials, options);
  const shared = { ...options, channelOverride: state.getChannel() };
  return {
    endpoint,
    state,
    machine: new MachineServiceClient(target, credentials, shared),
    inspect: new InspectServiceClient(target, credentials, shared),
    time: new TimeServiceClient(target, credentials, shared),
    cluster: new ClusterServiceClient(target, credentials, shared),
    control: new ControlServiceClient(target, credentials, shared),
    diagnose: explain,
    close: () => state.close(),
  };
}

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host.startsWith("127.");

/** Tells a call that never reached its handler from one that failed there. */
export const isUnreached = (error: unknown): error is ServiceError =>
  error instanceof Error && (error as Partial<ServiceError>).code === status.UNAVAILABLE;

/** What goes with each call (talosctl-wire.md §1.4). */
export function callMetadata(node: string | undefined): Metadata {
  const metadata = new Metadata();
  metadata.set("runtime", "Talos");
  if (node !== undefined) metadata.set("node", node);
  return metadata;
}

/** The reply to a unary call. */
export const reply = <Response>(
  start: (callback: (error: ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> =>
  new Promise((resolve, reject) => {
    start((error, response) => {
      if (error) reject(error);
      else resolve(response);
    });
  });

/** The messages of a stream; leaving the loop, or the signal, cancels the call. */
export async function* messages<Message>(
  stream: ClientReadableStream<Message>,
  signal?: AbortSignal,
): AsyncGenerator<Message, void> {
  const cancel = () => stream.cancel();
  stream.on("error", () => undefined); // also after nobody listens any longer
  if (signal?.aborted) cancel();
  signal?.addEventListener("abort", cancel);
  try {
    yield* stream as AsyncIterable<Message>;
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
}
