/** How long a node's process lives: until it is told to stop, whatever it waits for meanwhile. */
import { MessageChannel } from "node:worker_threads";

/**
 * Keeps the process alive; alarms and watches of a node do not.
 *
 * @returns a function that lets it end
 */
export function holdProcess(): () => void {
  const { port1 } = new MessageChannel();
  port1.ref();
  return () => {
    port1.close();
  };
}

/**
 * Resolves as the work does, unless the signal comes first.
 *
 * @throws the reason of the signal
 */
export async function unlessStopped<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = () => {
    reject(signal.reason as Error);
  };
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([stopped, work]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Resolves when the signal comes. */
export async function untilStopped(signal: AbortSignal): Promise<void> {
  const never = new Promise<never>(() => undefined);
  await unlessStopped(signal, never).catch(() => undefined);
}
