/** How connections end before their clients end them. */
import type { Certificate } from "#pki";
import { ringAfter, seconds, type Clock, type Logger } from "#runtime";
import type { TLSSocket } from "node:tls";
import type { Caller } from "./caller.ts";

/** How long a client that has to go may hear what it asked for. */
const GRACE = seconds(30);
/** How long it then has to hear that this is the end. */
const LAST_WORDS = seconds(0.5);

/** Tells a client that nothing new may be begun on its connection (RFC 9113 §6.8). */
export type Goodbye = () => void;

/** One whose client was found good. */
export interface Connection {
  readonly socket: TLSSocket;
  readonly caller: Caller;
  readonly goodbye: Goodbye;
  cancelEnd: () => void;
  /** Why it ends soon; undefined while it need not. */
  leaving: string | undefined;
  /** Aborted when the grace is over, with the reason. */
  readonly over: AbortController;
}

/** One that may stay as yet. */
export const connectionOf = (socket: TLSSocket, caller: Caller, goodbye: Goodbye): Connection => ({
  ...{ socket, caller, goodbye, over: new AbortController() },
  cancelEnd: () => undefined,
  leaving: undefined,
});

/** How connections end by themselves. */
export function endings(clock: Clock, log: Logger) {
  /** Nothing new begins on it; what is under way has a moment to end by itself. */
  const leave = (why: string, connection: Connection, peer: string, reason?: string) => {
    if (connection.leaving !== undefined) return;
    const { socket, caller, goodbye } = connection;
    const { fingerprint } = caller.certificate;
    log.info({ peer, fingerprint, ...(reason !== undefined && { reason }) }, why);
    connection.leaving = why;
    connection.cancelEnd();
    connection.cancelEnd = ringAfter(clock, GRACE, () => {
      const destroy = () => socket.destroy();
      connection.cancelEnd = ringAfter(clock, LAST_WORDS, destroy);
      connection.over.abort(why);
    });
    goodbye();
  };
  return {
    leave,
    /** The connection lasts no longer than anything that the client is trusted for. */
    endWith: (path: readonly Certificate[], connection: Connection, peer: string) => {
      if (connection.leaving !== undefined) return;
      const { certificate } = connection.caller;
      const first = path.reduce((a, b) => (b.notAfter < a.notAfter ? b : a));
      const whose = first.fingerprint === certificate.fingerprint ? "client" : "authority";
      connection.cancelEnd();
      connection.cancelEnd = clock.alarm(first.notAfter, () =>
        leave(`${whose} certificate has ended`, connection, peer, `${first.fingerprint} has ended`),
      );
    },
  };
}
