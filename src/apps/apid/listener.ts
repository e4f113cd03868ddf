/**
 * A TLS listener in front of a gRPC server. The handshake is ours, so that a client that is turned
 * away leaves its reason in the log; connections that pass are handed on.
 */
import { after, seconds, type Clock, type Logger } from "#runtime";
import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { examine, isAccepted, type Caller, type Rejection } from "./caller.ts";
import { ListenError } from "./errors.ts";
import { secureContextOptions, type ListenerMaterial } from "./material.ts";

/** How long a handshake may take. */
const HANDSHAKE = seconds(10);
/** How long a client whose authority was dropped has to hear the end of what it asked for. */
const FAREWELL = seconds(1);

export interface ListenerOptions {
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly material: ListenerMaterial;
  readonly clock: Clock;
  readonly log: Logger;
  /** Takes over a connection whose client was found good. */
  readonly accept: (socket: TLSSocket) => void;
}

export interface Listener {
  readonly port: number;
  /** Who is at the other end of an open connection, by address and port. */
  callerAt(peer: string): Caller | undefined;
  /**
   * Presents another certificate and accepts other authorities from the next handshake on. Open
   * connections stay, but for those whose authority is accepted no longer.
   *
   * @throws {ListenerMaterialError} and what is in force stays in force
   */
  rotate(material: ListenerMaterial): void;
  /** Takes no more connections; resolves when those that it handed on are gone. */
  stop(): Promise<void>;
  /** Ends the connections that are left. */
  destroyConnections(): void;
}

/**
 * Opens the listener.
 *
 * @throws {ListenError} {@link ListenerMaterialError}
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const { address, material, clock, log } = options;
  const sockets = new Set<Socket>();
  const callers: Callers = new Map();
  const server = createServer({
    ...secureContextOptions(material),
    requestCert: true,
    rejectUnauthorized: false, // examine() rejects, and knows whom
    ALPNProtocols: ["h2"],
    handshakeTimeout: HANDSHAKE,
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    log.info({ peer: peerOf(socket), code: error.code }, "TLS handshake failed");
  });
  server.on("secureConnection", (socket) => receive(socket, callers, options));
  const port = await listen(server, address, options.port);
  server.on("error", (error: Error) => log.error({ err: error }, "listener failed"));
  return {
    port,
    callerAt: (peer) => callers.get(peer)?.caller,
    rotate(next) {
      server.setSecureContext(secureContextOptions(next));
      const authorities = next.ca.map((pem) => new X509Certificate(pem));
      for (const [peer, { caller, socket }] of callers) {
        if (isAccepted(caller, authorities)) continue;
        const { fingerprint } = caller.certificate;
        log.info({ peer, fingerprint }, "the authority of a client is accepted no longer");
        const cancel = clock.alarm(after(clock.now(), FAREWELL), () => socket.destroy());
        socket.once("close", cancel);
      }
    },
    async stop() {
      server.close();
      const closings = [...callers.values()].map(
        ({ socket }) => new Promise((resolve) => socket.once("close", resolve)),
      );
      await Promise.all(closings);
    },
    destroyConnections: () => sockets.forEach((socket) => socket.destroy()),
  };
}

type Callers = Map<string, { readonly caller: Caller; readonly socket: TLSSocket }>;

/** Hands a connection on, or turns its client away. */
function receive(socket: TLSSocket, callers: Callers, { clock, log, accept }: ListenerOptions) {
  const peer = peerOf(socket);
  socket.on("error", (error: Error) => log.debug({ peer, err: error }, "connection failed"));
  const found = examine(socket, clock.now());
  if (!("roles" in found)) {
    turnAway(socket, found, log);
    return;
  }
  const { fingerprint, notAfter } = found.certificate;
  const cancelEnd = clock.alarm(notAfter, () => {
    log.info({ peer, fingerprint }, "client certificate has ended");
    socket.destroy();
  });
  callers.set(peer, { caller: found, socket });
  socket.once("close", () => {
    cancelEnd();
    callers.delete(peer);
  });
  accept(socket);
}

/** As gRPC names the peer of a call. */
const peerOf = ({ remoteAddress, remotePort }: Socket): string =>
  `${remoteAddress ?? ""}:${remotePort ?? ""}`;

function turnAway(socket: TLSSocket, { reason, ...whose }: Rejection, log: Logger): void {
  log.warn({ peer: peerOf(socket), reason, ...whose }, `client turned away: ${reason}`);
  socket.destroy();
}

const listenCodes: Readonly<Record<string, readonly [ListenError["code"], string]>> = {
  EADDRINUSE: ["ERR_PORT_IN_USE", "the port is in use: stop what listens there or choose another"],
  EADDRNOTAVAIL: ["ERR_ADDRESS_UNAVAILABLE", "this machine does not have the address"],
  EACCES: ["ERR_LISTEN", "this user may not listen there"],
};

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const [code, problem] = listenCodes[error.code ?? ""] ?? ["ERR_LISTEN", error.message];
      const place = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
      reject(new ListenError(code, `cannot listen on ${place}: ${problem}`, { cause: error }));
    });
    server.listen({ host, port, exclusive: true }, () => {
      const bound = server.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : port);
    });
  });
}
