/** trustd on the wire: TLS, gRPC, and the two calls that a token is for. */
import type { Clock, Logger } from "#runtime";
import { unary, type Call, type CallOptions } from "#runtime/rpc";
import { Server } from "@grpc/grpc-js";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Goodbye } from "../apid/connection-end.ts";
import { grace } from "../apid/grace.ts";
import { injectorOf } from "../apid/injection.ts";
import { checkMaterial } from "../apid/material.ts";
import { openTlsListener, type TlsListener } from "../apid/tls-listener.ts";
import { NodeServiceService, type JoinRequest, type JoinResponse } from "../rpc/gen/node/node.ts";
import {
  SecurityServiceService,
  type CertificateRequest,
  type CertificateResponse,
} from "../rpc/gen/security/security.ts";
import { trustdStatuses } from "./errors.ts";
import type { OpenSigner } from "./open-signer.ts";

/** Room for the two requests of a join, whose names are far more than any node has. */
const MESSAGE_BYTES_MAX = 192 * 1024;
/** Calls of a connection at a time. */
const CALLS_MAX = 100;
/** Nobody is known by a certificate here: what anybody may take is bounded. */
const CONNECTIONS_MAX = 4096;
/** A connection on which nothing is asked for so long ends. */
const IDLE_MS_MAX = 60_000;

/** PEM of what is presented to clients, who need no certificate. */
export interface TrustdMaterial {
  readonly crt: string;
  readonly key: string;
}

/** What is served, and where. */
export interface TrustdOptions {
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly material: TrustdMaterial;
  readonly signer: Pick<OpenSigner, "certificate" | "join" | "limits">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** trustd while it listens. */
export interface Trustd extends AsyncDisposable {
  readonly port: number;
  /** @throws {ListenerMaterialError} and what is presented stays */
  rotate(material: TrustdMaterial): void;
  /** Takes nothing new; what is under way has a moment to be answered. */
  close(): Promise<void>;
}

/**
 * Starts to serve.
 *
 * @throws {ListenError} {@link ListenerMaterialError}
 */
export async function startTrustd(options: TrustdOptions): Promise<Trustd> {
  const { address, clock, signer } = options;
  const log = options.log.child({ component: "trustd" });
  const closing = new AbortController();
  const server = serverOf(signer, { log, closing: closing.signal, statuses: trustdStatuses });
  const contextOf = ({ crt, key }: TrustdMaterial) =>
    checkMaterial({ cert: crt, key, ca: [] }).context;
  const connections = connectionsOf(injectorOf(server));
  const listener: TlsListener = await openTlsListener({
    ...{ address, port: options.port, flag: "--trustd-port", clock, log },
    ...{ context: contextOf(options.material), asksClients: false },
    connectionsMax: CONNECTIONS_MAX,
    receive: (socket) => connections.receive(socket),
    mayShakeHands: (host) => signer.limits.mayShakeHands(host),
  });
  log.info({ address, port: listener.port }, "trustd listens");
  const close = async () => {
    listener.stop();
    closing.abort();
    const gone = connections.goodbye();
    server.tryShutdown(() => undefined);
    await grace(gone, clock);
    server.forceShutdown();
    listener.destroyConnections();
  };
  let closed: Promise<void> | undefined;
  const closeOnce = () => (closed ??= close());
  return {
    port: listener.port,
    rotate: (material) => listener.setContext(contextOf(material)),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

/** A method that is left out answers UNIMPLEMENTED. */
function serverOf(signer: TrustdOptions["signer"], calls: CallOptions): Server {
  const server = new Server({
    "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
    "grpc.max_concurrent_streams": CALLS_MAX,
    "grpc.max_connection_idle_ms": IDLE_MS_MAX,
  });
  server.addService(SecurityServiceService, {
    certificate: unary<CertificateRequest, CertificateResponse>(
      (request, call) => signer.certificate(askerOf(call), request),
      calls,
    ),
  });
  const { join: joinMethod } = NodeServiceService;
  server.addService(
    { join: joinMethod },
    {
      join: unary<JoinRequest, JoinResponse>(
        (request, call) => signer.join(askerOf(call), request),
        calls,
      ),
    },
  );
  return server;
}

/** The first value counts, as in Talos. */
const askerOf = (call: Call) => ({ peer: call.peer, token: call.header("token")[0] });

/** Hands connections on, and says goodbye to them. */
function connectionsOf(accept: (socket: TLSSocket) => Goodbye) {
  const open = new Map<Socket, Goodbye>();
  return {
    receive(socket: TLSSocket) {
      socket.on("error", () => socket.destroy());
      open.set(socket, accept(socket));
      socket.once("close", () => open.delete(socket));
    },
    /** Resolves when all are gone. */
    async goodbye(): Promise<void> {
      const closing = [...open].map(([socket, goodbye]) => {
        const gone = new Promise((resolve) => socket.once("close", resolve));
        goodbye();
        return gone;
      });
      await Promise.all(closing);
    },
  };
}
