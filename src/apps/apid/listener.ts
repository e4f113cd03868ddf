/**
 * A TLS listener in front of a gRPC server. The handshake is ours, so that a client that is turned
 * away leaves its reason in the log; connections that pass are handed on.
 */
import type { Clock, Logger } from "#runtime";
import { createServer as createSocketServer, type Server, type Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { formatEndpoint } from "../client/endpoint.ts";
import type { Goodbye } from "./connection-end.ts";
import { openConnections, peerOf, type Connections } from "./connections.ts";
import { ListenError } from "./errors.ts";
import { limitHandshakes } from "./handshakes.ts";
import { checkMaterial, type ListenerMaterial } from "./material.ts";

export interface ListenerOptions {
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly material: ListenerMaterial;
  readonly clock: Clock;
  readonly log: Logger;
  /** Takes over a connection whose client was found good. */
  readonly accept: (socket: TLSSocket) => Goodbye;
}

/** Who is at the other end of open connections is asked by address and port. */
export interface Listener extends Pick<
  Connections,
  "deny" | "callerAt" | "objectionTo" | "endOf" | "countUnder"
> {
  readonly port: number;
  /**
   * Presents another certificate and accepts other authorities from the next handshake on. Open
   * connections stay, but for those whose authority is accepted no longer: they end soon.
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
  const { address, log } = options;
  const sockets = new Set<Socket>();
  const check = (material: ListenerMaterial) => {
    const checked = checkMaterial(material);
    for (const reason of checked.leftOut) log.warn({ reason }, `left out: ${reason}`);
    return checked;
  };
  const { context, authorities } = check(options.material);
  const connections = openConnections(authorities, options);
  const server = createServer({
    ...context,
    requestCert: true,
    rejectUnauthorized: false, // receive() rejects, and knows whom
    ALPNProtocols: ["h2"],
  });
  limitHandshakes(server, options);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    const peer = socket.remoteAddress && peerOf(socket); // gone with a connection that was reset
    log.info({ ...(peer && { peer }), code: error.code }, "TLS handshake failed");
  });
  server.on("secureConnection", (socket) => connections.receive(socket));
  const port = await listen(server, address, options.port);
  server.on("error", (error: Error) => log.error({ err: error }, "listener failed"));
  return {
    port,
    ...connections,
    rotate(next) {
      const checked = check(next);
      server.setSecureContext(checked.context);
      connections.accept(checked.authorities);
    },
    async stop() {
      server.close();
      await connections.gone();
    },
    destroyConnections: () => sockets.forEach((socket) => socket.destroy()),
  };
}

/**
 * Makes sure that a listener could be opened now.
 *
 * @throws {ListenError}
 */
export async function checkListen(place: Pick<ListenerOptions, "address" | "port">): Promise<void> {
  const server = createSocketServer();
  await listen(server, place.address, place.port);
  await new Promise((resolve) => server.close(resolve));
}

const listenCodes: Readonly<Record<string, readonly [ListenError["code"], string]>> = {
  EADDRINUSE: [
    "ERR_PORT_IN_USE",
    "the port is in use: stop what listens there or choose another with --api-port",
  ],
  EADDRNOTAVAIL: ["ERR_ADDRESS_UNAVAILABLE", "this machine does not have the address"],
  EACCES: ["ERR_LISTEN", "this user may not listen there"],
};

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const [code, problem] = listenCodes[error.code ?? ""] ?? ["ERR_LISTEN", error.message];
      const place = formatEndpoint({ host, port });
      reject(new ListenError(code, `cannot listen on ${place}: ${problem}`, { cause: error }));
    });
    server.listen({ host, port, exclusive: true }, () => {
      const bound = server.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : port);
    });
  });
}
