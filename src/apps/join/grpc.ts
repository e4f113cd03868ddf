/** Calls signers by gRPC, over connections that are verified before anything is said. */
import { type Clock, ringAfter } from "#runtime";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { createSecureContext } from "node:tls";
import { failureOf, NodeAnsweredError, NodeUnreachedError } from "../apid/forwarding/errors.ts";
import { openPeer, type Peer } from "../apid/forwarding/peer.ts";
import type { Endpoint } from "../client/index.ts";
import { NodeServiceService } from "../rpc/gen/node/node.ts";
import { SecurityServiceService } from "../rpc/gen/security/security.ts";
import { opensslKey } from "../rpc/openssl-key.ts";
import { CallFailureError } from "./errors.ts";
import type { CallSigner, SignerCall, SignerMethod, WatchSigner } from "./port.ts";

const methods = {
  Certificate: SecurityServiceService.certificate,
  Join: NodeServiceService.join,
  Renew: NodeServiceService.renew,
  Report: NodeServiceService.report,
  Leave: NodeServiceService.leave,
} as const satisfies Record<SignerMethod, { readonly path: string }>;

/** What is asked of apid; the others are asked of trustd. */
const ofMembers: ReadonlySet<SignerMethod> = new Set<SignerMethod>(["Renew", "Report", "Leave"]);

const MESSAGE_BYTES_MAX = 1024 * 1024;

export interface GrpcOptions {
  readonly clock: Clock;
  /** Where this node listens, and calls from. */
  readonly address: string;
  readonly trustdPort: number;
  /** Where apid listens whose signer does not say. */
  readonly apiPort: number;
}

/** Each call has a connection of its own, for there is none for hours before and after it. */
export const grpcSigners =
  (options: GrpcOptions): CallSigner =>
  (call) => {
    const { host, method, signal, timeout } = call;
    const port = ofMembers.has(method) ? call.apiPort || options.apiPort : options.trustdPort;
    const peer = peerAt({ host, port }, call, options);
    const metadata = new Metadata();
    if (call.token !== undefined) metadata.set("token", call.token);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const started = peer.client.makeUnaryRequest(
      methods[method].path,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Buffer) => bytes,
      call.request,
      metadata,
      (error, bytes) => {
        if (bytes !== undefined) resolve(bytes);
        else reject(failed(error, host));
      },
    );
    const end = (error: Error) => {
      reject(error);
      started.cancel();
    };
    const stop = () => end(signal.reason as Error);
    const late = () => end(new CallFailureError(status.DEADLINE_EXCEEDED, lateAfter(timeout)));
    const cancelLate = ringAfter(options.clock, timeout, late);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    return promise.finally(() => {
      cancelLate();
      signal.removeEventListener("abort", stop);
      peer.close();
    });
  };

/** One connection for as long as it is listened to. */
export const grpcWatch = (options: GrpcOptions): WatchSigner =>
  async function* watch(call) {
    const { host, apiPort, signal } = call;
    const peer = peerAt({ host, port: apiPort || options.apiPort }, call, options);
    const { path, requestSerialize } = NodeServiceService.watch;
    const stream = peer.client.makeServerStreamRequest(path, requestSerialize, itself, {});
    const late = { isLate: false };
    const cancel = () => stream.cancel();
    const release = peer.hold(() => {
      late.isLate = true;
      cancel();
    });
    stream.on("error", () => undefined); // also after nobody listens any longer
    signal.addEventListener("abort", cancel);
    if (signal.aborted) cancel();
    try {
      yield* stream as AsyncIterable<Buffer>;
    } catch (error) {
      if (late.isLate) throw new CallFailureError(status.UNAVAILABLE, "no connection in time");
      throw failed(error as ServiceError, host);
    } finally {
      signal.removeEventListener("abort", cancel);
      cancel();
      release();
      peer.close();
    }
  };

const itself = (bytes: Buffer): Buffer => bytes;

const peerAt = (
  endpoint: Endpoint,
  call: Pick<SignerCall, "acceptedCAs" | "identity">,
  { address, clock }: GrpcOptions,
): Peer =>
  openPeer({
    ...{ endpoint, address, clock, context: contextOf(call) },
    messageBytesMax: MESSAGE_BYTES_MAX,
    onClose: () => undefined,
  });

const lateAfter = (timeout: number): string => `no answer within ${timeout / 1000} s`;

const contextOf = ({ acceptedCAs, identity }: Pick<SignerCall, "acceptedCAs" | "identity">) =>
  createSecureContext({
    ca: acceptedCAs.map(({ pem }) => pem),
    ...(identity && { cert: identity.crt, key: opensslKey(identity.key) }),
    minVersion: "TLSv1.2",
    allowPartialTrustChain: true, // an accepted authority is a root here, whoever issued it
  });

/** What the library says of a certificate that is not taken, and what there is to be done. */
const hints: readonly (readonly [RegExp, string])[] = [
  [/has expired|not yet valid/i, "is this machine's clock right?"],
  [/altnames/i, "on control planes, add what it is called by to machine.certSANs"],
  [
    /self-signed|unable to (?:verify|get)|issuer certificate/i,
    "machine.ca.crt and machine.acceptedCAs have no authority that it is under",
  ],
];

function failed(error: ServiceError | null, host: string): Error {
  const failure = failureOf(error, host);
  if (failure instanceof NodeUnreachedError) {
    const reason = failure.reason ?? "";
    const hint = hints.find(([pattern]) => pattern.test(reason))?.[1];
    const words = hint === undefined ? reason : `${reason} (${hint})`;
    return new CallFailureError(status.UNAVAILABLE, words, { cause: failure });
  }
  if (failure instanceof NodeAnsweredError)
    return new CallFailureError(error?.code ?? status.UNKNOWN, failure.message, { cause: failure });
  return error ?? new CallFailureError(status.UNKNOWN, "no answer");
}
