/** Ends connections that are no TLS connections in time. */
import { after, seconds, type Clock, type Logger } from "#runtime";
import type { Socket } from "node:net";
import type { Server } from "node:tls";
import { peerOf } from "./connections.ts";

/** How long a handshake may take. */
export const HANDSHAKE_MAX = seconds(10);

/**
 * Ends those whose handshake takes longer, whatever they send meanwhile. Node.js has a limit of its
 * own, two minutes, for a clock that is set back.
 */
export function limitHandshakes(
  server: Server,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): void {
  const limits = new Map<string, () => void>();
  const isOver = (ends: string) => {
    limits.get(ends)?.();
    limits.delete(ends);
  };
  server.on("connection", (socket: Socket) => {
    const ends = bothEndsOf(socket);
    isOver(ends);
    const giveUp = () => {
      log.info({ peer: peerOf(socket) }, "TLS handshake not done within 10 s");
      socket.destroy();
    };
    const cancel = clock.alarm(after(clock.now(), HANDSHAKE_MAX), giveUp);
    limits.set(ends, cancel);
    socket.once("close", () => {
      if (limits.get(ends) === cancel) isOver(ends);
    });
  });
  // Another object than the one above, of which nothing tells.
  server.on("secureConnection", (socket) => isOver(bothEndsOf(socket)));
}

/** What no two open connections share. */
const bothEndsOf = (socket: Socket): string =>
  `${peerOf(socket)} ${socket.localAddress ?? ""}:${socket.localPort ?? ""}`;
