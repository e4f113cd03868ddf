/**
 * Lets everything else have its turn. The engine lives on microtasks, and a long queue of work must
 * not keep sockets and timers waiting. This is no question of time, so no clock is asked.
 */
import { MessageChannel } from "node:worker_threads";

/** Resolves after the event loop has gone round. */
export const turn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.once("message", () => {
      port1.close();
      resolve();
    });
    port2.postMessage(undefined);
  });
