/** TLS on a port: connections come out of it when their handshake is done. */
import type { Clock, Logger } from "#runtime";
import { createServer as createSocketServer, type Server, type Socket } from "node:net";
import { createServer, type SecureContextOptions, type TLSSocket } from "node:tls";
import { formatEndpoint } from "../client/endpoint.ts";
import { peerOf } from "./connections.ts";
import { ListenError } from "./errors.ts";
import { limitHandshakes } from "./handshakes.ts";

/** Where to listen. */
export interface Place {
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The flag that another port is chosen by. */
  readonly flag?: string;
}

export interface TlsListenerOptions extends Place {
  readonly context: SecureContextOptions;
  /** Whether clients are asked for a certificate; whoever receives the connection judges it. */
  readonly asksClients: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** Takes over a connection whose handshake is done. */
  readonly receive: (socket: TLSSocket) => void;
  /** Whether who connects may go on to a handshake; left out: everybody. */
  readonly mayShakeHands?: (address: string) => boolean;
  /** As many connections are open at most; left out: any number. */
  readonly connectionsMax?: number;
}

export interface TlsListener {
  readonly port: number;
  /** From the next handshake on. */
  setContext(context: SecureContextOptions): void;
  /** Takes no more connections. */
  stop(): void;
  /** Ends the connections that are left. */
  destroyConnections(): void;
}

/** @throws {ListenError} when the address or port cannot be had */
export async function openTlsListener(options: TlsListenerOptions): Promise<TlsListener> {
  const { log, mayShakeHands = () => true } = options;
  const sockets = new Set<Socket>();
  const tls = createServer({
    ...options.context,
    requestCert: options.asksClients,
    rejectUnauthorized: false, // whoever receives it rejects, and knows whom
    ALPNProtocols: ["h2"],
  });
  limitHandshakes(tls, options);
  tls.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    const peer = socket.remoteAddress && peerOf(socket); // gone with a connection that was reset
    log.info({ ...(peer && { peer }), code: error.code }, "TLS handshake failed");
  });
  tls.on("secureConnection", options.receive);
  const server = createSocketServer({ noDelay: true }, (socket) => {
    if (!mayShakeHands(socket.remoteAddress ?? "")) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    tls.emit("connection", socket);
  });
  if (options.connectionsMax !== undefined) server.maxConnections = options.connectionsMax;
  const port = await listen(server, options);
  server.on("error", (error: Error) => log.error({ err: error }, "listener failed"));
  return {
    port,
    setContext: (context) => tls.setSecureContext(context),
    stop: () => void server.close(),
    destroyConnections: () => sockets.forEach((socket) => socket.destroy()),
  };
}

/**
 * Makes sure that a listener could be opened now.
 *
 * @throws {ListenError}
 */
export async function checkListen(place: Place): Promise<void> {
  const server = createSocketServer();
  await listen(server, place);
  await new Promise((resolve) => server.close(resolve));
}

const listenCodes: Readonly<Record<string, readonly [ListenError["code"], string]>> = {
  EADDRINUSE: ["ERR_PORT_IN_USE", "the port is in use: stop what listens there or choose another"],
  EADDRNOTAVAIL: ["ERR_ADDRESS_UNAVAILABLE", "this machine does not have the address"],
  EACCES: ["ERR_LISTEN", "this user may not listen there"],
};

function listen(
  server: Server,
  { address: host, port, flag = "--api-port" }: Place,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const [code, problem] = listenCodes[error.code ?? ""] ?? ["ERR_LISTEN", error.message];
      const place = formatEndpoint({ host, port });
      const by = code === "ERR_PORT_IN_USE" ? ` with ${flag}` : "";
      const message = `cannot listen on ${place}: ${problem}${by}`;
      reject(new ListenError(code, message, { cause: error }));
    });
    server.listen({ host, port, exclusive: true }, () => {
      const bound = server.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : port);
    });
  });
}
