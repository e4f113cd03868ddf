/**
 * A TLS listener in front of a gRPC server. The handshake is ours, so that a client that is turned
 * away leaves its reason in the log; connections that pass are handed on.
 */
import type { Clock, Logger } from "#runtime";
import type { TLSSocket } from "node:tls";
import type { Goodbye } from "./connection-end.ts";
import { openConnections, type Connections } from "./connections.ts";
import { checkMaterial, type ListenerMaterial } from "./material.ts";
import { openTlsListener } from "./tls-listener.ts";

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
  const { log } = options;
  const check = (material: ListenerMaterial) => {
    const checked = checkMaterial(material);
    for (const reason of checked.leftOut) log.warn({ reason }, `left out: ${reason}`);
    return checked;
  };
  const { context, authorities } = check(options.material);
  const connections = openConnections(authorities, options);
  const listener = await openTlsListener({
    ...options,
    ...{ context, asksClients: true },
    receive: (socket) => connections.receive(socket),
  });
  return {
    port: listener.port,
    ...connections,
    rotate(next) {
      const checked = check(next);
      listener.setContext(checked.context);
      connections.accept(checked.authorities);
    },
    async stop() {
      listener.stop();
      await connections.gone();
    },
    destroyConnections: () => listener.destroyConnections(),
  };
}
