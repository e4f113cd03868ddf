/** Connections of a listener whose clients were found good, for as long as they are. */
import { formatName, type Certificate } from "#pki";
import type { Clock, Logger } from "#runtime";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { connectionOf, endings, type Connection, type Goodbye } from "./connection-end.ts";
import { isDenied } from "./denial.ts";
import { examine, verdictOn, type Admitted, type Caller, type Rejection } from "./caller.ts";

export interface ConnectionsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Takes over a connection whose client was found good. */
  readonly accept: (socket: TLSSocket) => Goodbye;
}

export interface Connections {
  /** Hands a connection on when its handshake is done, or turns its client away. */
  receive(socket: TLSSocket): void;
  /** Accepts other authorities from now on; clients that none of them vouches for have to go. */
  accept(authorities: readonly Certificate[]): void;
  /** Turns these certificates away from now on, by fingerprint; clients that have one have to go. */
  deny(fingerprints: ReadonlySet<string>): void;
  callerAt(peer: string): Caller | undefined;
  /** Why a client may begin nothing new; undefined when it may. */
  objectionTo(peer: string): string | undefined;
  /** Aborted, with the reason, when the streams of a client have to end. */
  endOf(peer: string): AbortSignal | undefined;
  /** How many connections are under a certificate. */
  countUnder(fingerprint: string): number;
  /** Resolves when the connections of this moment are gone. */
  gone(): Promise<void>;
}

/** Starts without any. */
export function openConnections(
  initial: readonly Certificate[],
  { clock, log, accept }: ConnectionsOptions,
): Connections {
  let authorities = initial;
  let denied: ReadonlySet<string> = new Set();
  const connections = new Map<string, Connection>();
  const { endWith, leave } = endings(clock, log);

  const hold = (socket: TLSSocket, { caller, path }: Admitted, peer: string) => {
    socket.once("close", () => {
      connection.cancelEnd();
      connections.delete(peer);
    });
    const connection = connectionOf(socket, caller, accept(socket));
    connections.set(peer, connection);
    endWith(path, connection, peer);
  };

  const admit = async (socket: TLSSocket, peer: string): Promise<void> => {
    const accepted = authorities;
    const found = await examine(socket, accepted, clock.now());
    if (socket.destroyed) return;
    if (accepted !== authorities) return admit(socket, peer); // others were accepted meanwhile
    const verdict = "caller" in found ? judge(found, denied, connections.has(peer)) : found;
    if ("caller" in verdict) hold(socket, verdict, peer);
    else turnAway(socket, verdict, log);
  };

  const review = async (connection: Connection, peer: string) => {
    const accepted = authorities;
    const verdict = await verdictOn(connection.caller, accepted, clock.now());
    if (connection.socket.destroyed || accepted !== authorities) return;
    if (verdict.valid) endWith(verdict.chain, connection, peer);
    else leave("the authority of a client is accepted no longer", connection, peer, verdict.reason);
  };

  return {
    receive(socket) {
      const peer = peerOf(socket);
      socket.on("error", (err: Error) => log.debug({ peer, err }, "connection failed"));
      orDestroyed(socket, admit(socket, peer), log);
    },
    accept(next) {
      authorities = next;
      connections.forEach((one, peer) => orDestroyed(one.socket, review(one, peer), log));
    },
    deny(fingerprints) {
      denied = fingerprints;
      connections.forEach((one, peer) => {
        if (isDenied(one.caller.certificate, denied))
          leave("client certificate is denied", one, peer);
      });
    },
    ...questionsAbout(connections),
  };
}

/** A client whose certificate is good may not be let in for all that. */
function judge(found: Admitted, denied: ReadonlySet<string>, taken: boolean): Admitted | Rejection {
  const { caller } = found;
  if (isDenied(caller.certificate, denied)) return rejectionOf(caller, "certificate is denied");
  return taken ? rejectionOf(caller, ADDRESS_TAKEN) : found;
}

/** What is asked of them. */
const questionsAbout = (
  connections: ReadonlyMap<string, Connection>,
): Omit<Connections, "receive" | "accept" | "deny"> => ({
  callerAt: (peer) => connections.get(peer)?.caller,
  objectionTo: (peer) => connections.get(peer)?.leaving,
  endOf: (peer) => connections.get(peer)?.over.signal,
  countUnder(fingerprint) {
    const only = new Set([fingerprint]);
    const all = [...connections.values()];
    return all.filter(({ caller }) => isDenied(caller.certificate, only)).length;
  },
  gone: () => allClosed([...connections.values()]),
});

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
const ADDRESS_TAKEN = "another connection has its address and port";

const rejectionOf = ({ certificate }: Caller, reason: string): Rejection => ({
  reason,
  fingerprint: certificate.fingerprint,
  subject: formatName(certificate.subject),
});

function turnAway(socket: TLSSocket, { reason, ...whose }: Rejection, log: Logger): void {
  log.warn({ peer: peerOf(socket), reason, ...whose }, `client turned away: ${reason}`);
  socket.destroy();
}
