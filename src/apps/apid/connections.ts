/** Connections of a listener whose clients were found good, for as long as they are. */
import { formatName, type Certificate } from "#pki";
import { after, seconds, type Clock, type Logger } from "#runtime";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { examine, verdictOn, type Admitted, type Caller, type Rejection } from "./caller.ts";

/** How long a client whose authority was dropped has to hear the end of what it asked for. */
const FAREWELL = seconds(1);

export interface ConnectionsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Takes over a connection whose client was found good. */
  readonly accept: (socket: TLSSocket) => void;
}

export interface Connections {
  /** Hands a connection on when its handshake is done, or turns its client away. */
  receive(socket: TLSSocket): void;
  /** Accepts other authorities from now on; clients that none of them vouches for have to go. */
  accept(authorities: readonly Certificate[]): void;
  callerAt(peer: string): Caller | undefined;
  /** Resolves when the connections of this moment are gone. */
  gone(): Promise<void>;
}

interface Connection {
  readonly socket: TLSSocket;
  readonly caller: Caller;
  cancelEnd: () => void;
}

/** Starts without any. */
export function openConnections(
  initial: readonly Certificate[],
  { clock, log, accept }: ConnectionsOptions,
): Connections {
  let authorities = initial;
  const connections = new Map<string, Connection>();

  const { endWith, farewell } = endings(clock, log);

  const hold = (socket: TLSSocket, { caller, path }: Admitted, peer: string) => {
    const connection: Connection = { socket, caller, cancelEnd: () => undefined };
    connections.set(peer, connection);
    endWith(path, connection, peer);
    socket.once("close", () => {
      connection.cancelEnd();
      connections.delete(peer);
    });
    accept(socket);
  };

  const admit = async (socket: TLSSocket, peer: string) => {
    let found: Admitted | Rejection;
    let accepted: readonly Certificate[];
    do {
      accepted = authorities;
      found = await examine(socket, accepted, clock.now());
      if (socket.destroyed) return;
    } while (accepted !== authorities); // others were accepted meanwhile
    if (!("caller" in found)) turnAway(socket, found, log);
    else if (connections.has(peer)) turnAway(socket, takenBy(found.caller), log);
    else hold(socket, found, peer);
  };

  /** Holds a client against what is accepted now. */
  const review = async (connection: Connection, peer: string) => {
    const accepted = authorities;
    const { socket, caller } = connection;
    const verdict = await verdictOn(caller, accepted, clock.now());
    if (socket.destroyed || accepted !== authorities) return;
    if (verdict.valid) endWith(verdict.chain, connection, peer);
    else farewell(verdict.reason, connection, peer);
  };

  return {
    receive(socket) {
      const peer = peerOf(socket);
      socket.on("error", (error: Error) => log.debug({ peer, err: error }, "connection failed"));
      orDestroyed(socket, admit(socket, peer), log);
    },
    accept(next) {
      authorities = next;
      for (const [peer, connection] of connections)
        orDestroyed(connection.socket, review(connection, peer), log);
    },
    callerAt: (peer) => connections.get(peer)?.caller,
    gone: () => allClosed([...connections.values()]),
  };
}

/** How connections end by themselves. */
function endings(clock: ConnectionsOptions["clock"], log: ConnectionsOptions["log"]) {
  return {
    /** The connection lasts no longer than anything that the client is trusted for. */
    endWith: (path: readonly Certificate[], connection: Connection, peer: string) => {
      const { socket, caller } = connection;
      const { fingerprint, notAfter } = path.reduce((a, b) => (b.notAfter < a.notAfter ? b : a));
      connection.cancelEnd();
      connection.cancelEnd = clock.alarm(notAfter, () => {
        const whose = fingerprint === caller.certificate.fingerprint ? "client" : "authority";
        log.info({ peer, fingerprint }, `${whose} certificate has ended`);
        socket.destroy();
      });
    },
    /** What its authority vouched for is so no longer: it has a moment to end by itself. */
    farewell: (reason: string, { socket, caller }: Connection, peer: string) => {
      const { fingerprint } = caller.certificate;
      log.info({ peer, fingerprint, reason }, "the authority of a client is accepted no longer");
      const cancel = clock.alarm(after(clock.now(), FAREWELL), () => socket.destroy());
      socket.once("close", cancel);
    },
  };
}

/** A client about whom nothing can be said is not let in, nor stays. */
const orDestroyed = (socket: TLSSocket, decision: Promise<void>, log: ConnectionsOptions["log"]) =>
  void decision.catch((error: unknown) => {
    log.error({ peer: peerOf(socket), err: error }, "a client could not be examined");
    socket.destroy();
  });

async function allClosed(connections: readonly Connection[]): Promise<void> {
  const closing = ({ socket }: Connection) => new Promise((done) => socket.once("close", done));
  await Promise.all(connections.map(closing));
}

/** As gRPC names the peer of a call. */
export const peerOf = ({ remoteAddress, remotePort }: Socket): string =>
  `${remoteAddress ?? ""}:${remotePort ?? ""}`;

/**
 * gRPC tells no more of a caller than its own address and port, and one may use them towards several
 * addresses of this node: which certificate a call is under has to be certain.
 */
const takenBy = ({ certificate }: Caller): Rejection => ({
  reason: "another connection has its address and port",
  fingerprint: certificate.fingerprint,
  subject: formatName(certificate.subject),
});

function turnAway(socket: TLSSocket, { reason, ...whose }: Rejection, log: Logger): void {
  log.warn({ peer: peerOf(socket), reason, ...whose }, `client turned away: ${reason}`);
  socket.destroy();
}
