/** The hooks of a controller: one that runs beside it, and one for its end (cosi.md §6.6). */
import { retryDelay } from "../backoff.ts";
import type { HookContext, Surroundings } from "../controller.ts";
import { after, minutes } from "../instant.ts";
import { failureOf } from "./failure.ts";
import type { Lane } from "./lane.ts";

/** Who ran longer than this begins anew to count how often it failed. */
const LIFE_MS_GOOD = minutes(1);

/**
 * Keeps the run hook of a controller running. Resolves when it has ended for good.
 *
 * @param contextOf makes the context of one run, with what is aborted when that ends
 */
export async function liveHook(
  { controller, log }: Lane,
  surroundings: Surroundings,
  contextOf: (over: AbortSignal) => HookContext,
): Promise<void> {
  const { runHook } = controller;
  const { clock, random, signal } = surroundings;
  if (runHook === undefined) return;
  for (let failures = 1; !signal.aborted; failures++) {
    const begun = clock.now();
    const over = new AbortController();
    try {
      await runHook(contextOf(AbortSignal.any([signal, over.signal])));
      return;
    } catch (error) {
      if (isAborted(signal)) return;
      if (clock.now() - begun > LIFE_MS_GOOD) failures = 1;
      log.warn({ ...failureOf(error), attempt: failures }, "run hook failed");
      over.abort();
      await pause(surroundings, retryDelay(failures, random));
    } finally {
      over.abort();
    }
  }
}

const isAborted = ({ aborted }: AbortSignal): boolean => aborted;

/** Calls the shutdown hook of a controller; what it throws is logged. */
export async function shutDown({ controller, log }: Lane): Promise<void> {
  try {
    await controller.shutdownHook?.();
  } catch (error) {
    log.error({ ...failureOf(error) }, "shutdown hook failed");
  }
}

const pause = ({ clock, signal }: Surroundings, delay: number): Promise<void> =>
  new Promise((resolve) => {
    const leave = () => {
      cancel();
      forget();
      signal.removeEventListener("abort", leave);
      resolve();
    };
    const cancel = clock.alarm(after(clock.now(), delay), leave);
    const forget = clock.onStep(leave); // the instant may be years away now
    signal.addEventListener("abort", leave, { once: true });
  });
