/** What a watch has seen and its caller has not taken yet. */
import type { Observable, Subscription } from "rxjs";
import { WatchOverrunError, type CodedError } from "../errors.ts";
import type { WatchEvent } from "../store/store.ts";

/** Events in the order of the store; `next` gives all that wait. */
export interface Backlog {
  /** What the watch could not even be established for. */
  readonly refusal: CodedError | undefined;
  /**
   * Waits for events; `undefined` when there will be none.
   *
   * @throws what the watch failed with, after the events before it
   */
  readonly next: () => Promise<readonly WatchEvent[] | undefined>;
  readonly close: () => void;
}

/**
 * Subscribes at once. Contents of a bootstrap are in memory anyway and do not count; beyond
 * `liveEventsMax` events that came after, the watch ends with an errored event.
 *
 * @param bootstrapping whether `bootstrapped` will come
 */
export function openBacklog(
  source: Observable<readonly WatchEvent[]>,
  { bootstrapping, liveEventsMax }: { bootstrapping: boolean; liveEventsMax: number },
): Backlog {
  let waiting: WatchEvent[] = [];
  let live = 0;
  let isLive = !bootstrapping;
  let end: { error?: unknown } | undefined;
  let wake: (() => void) | undefined;
  const subscription: { current?: Subscription } = {};

  const finish = (how: { error?: unknown }) => {
    end ??= how;
    subscription.current?.unsubscribe();
    wake?.();
  };
  const take = (event: WatchEvent) => {
    if (end !== undefined) return;
    if (isLive && live >= liveEventsMax) {
      waiting.push({ type: "errored", error: overrun(liveEventsMax) });
      finish({});
      return;
    }
    waiting.push(event);
    if (isLive) live++;
    if (event.type === "bootstrapped") isLive = true;
    if (event.type === "errored") finish({});
  };
  subscription.current = source.subscribe({
    next: (batch) => {
      batch.forEach(take);
      wake?.();
    },
    error: (error: unknown) => finish({ error }),
    complete: () => finish({}),
  });
  if (end !== undefined) subscription.current.unsubscribe();

  const [first] = waiting;
  return {
    refusal: first?.type === "errored" ? first.error : undefined,
    async next() {
      while (waiting.length === 0) {
        if (end !== undefined) {
          if ("error" in end) throw end.error;
          return undefined;
        }
        await new Promise<void>((resolve) => (wake = resolve));
        wake = undefined;
      }
      const taken = waiting;
      waiting = [];
      live = 0;
      return taken;
    },
    close: () => finish({}),
  };
}

const overrun = (events: number) =>
  new WatchOverrunError(`the watch is ${events} events behind; list again and watch from there`);
