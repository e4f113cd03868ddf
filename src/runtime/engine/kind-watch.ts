/**
 * Follows one kind for as long as the engine runs. A watch that ends is never fatal: it is opened
 * again, and everything that is there comes anew.
 */
import { Subscription } from "rxjs";
import type { Clock } from "../clock.ts";
import { formatPointer } from "../errors.ts";
import { after, instantOf, seconds } from "../instant.ts";
import type { Logger } from "../logger.ts";
import type { Random } from "../random.ts";
import type { CoreStore, Kind, WatchEvent } from "../store/store.ts";
import type { Activity } from "./activity.ts";
import { retryDelay } from "./backoff.ts";

/** An event about a resource. */
export type ChangeEvent = Extract<WatchEvent, { type: "created" | "updated" | "destroyed" }>;

/** What the watch of a kind needs. */
export interface KindWatchOptions {
  readonly core: CoreStore;
  readonly kind: Kind;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly activity: Activity;
  /** @param isBeginning whether it is part of what was there when the watch began */
  readonly onChange: (event: ChangeEvent, isBeginning: boolean) => void;
  /** Everything that was there has been told; anything may have happened before. */
  readonly onBegun: (isFirst: boolean) => void;
}

/** A watch that ends sooner than this after it was opened is broken, and opened again later. */
const LIFE_MS_MIN = seconds(1);
/** How often a watch is opened again without a pause. */
const AT_ONCE_MAX = 3;

/** The watch of one kind. */
export class KindWatch {
  readonly #options: KindWatchOptions;
  #subscription = new Subscription();
  #leavePause: (isClosed: boolean) => void = () => undefined;
  #closed = false;
  #begun = false;
  #isFirst = true;
  #failures = 0;
  #openedAt = instantOf(-Infinity);

  constructor(options: KindWatchOptions) {
    this.#options = options;
  }

  /** The engine counts as busy until everything that is there was told, or there is a pause. */
  open(): void {
    const { core, kind, clock, activity } = this.#options;
    this.#begun = false;
    this.#openedAt = clock.now();
    activity.begin();
    const subscription = new Subscription();
    this.#subscription = subscription;
    const end = (cause: unknown) => {
      if (subscription !== this.#subscription || this.#closed) return;
      subscription.unsubscribe();
      this.#reopen(cause);
    };
    subscription.add(
      core.watchKind(kind, { bootstrapContents: true }).subscribe({
        next: (events) => {
          for (const event of events) {
            if (event.type === "errored") end(event.error);
            else if (!subscription.closed) this.#take(event);
          }
        },
        error: end,
        complete: () => end(new Error("the watch ended")),
      }),
    );
  }

  /** The clock was set: opens now if it pauses, and counts its life from now on. */
  endPause(): void {
    this.#openedAt = this.#options.clock.now();
    this.#leavePause(false);
  }

  close(): void {
    this.#closed = true;
    this.#leavePause(true);
    this.#subscription.unsubscribe();
  }

  #take(event: Exclude<WatchEvent, { type: "errored" }>): void {
    if (event.type === "noop") return;
    if (event.type !== "bootstrapped") {
      this.#options.onChange(event, !this.#begun);
      return;
    }
    this.#options.onBegun(this.#isFirst);
    this.#isFirst = false;
    this.#setBegun();
  }

  #setBegun(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#options.activity.end();
  }

  #reopen(cause: unknown): void {
    const { clock, random, log, kind, activity } = this.#options;
    const isShort = clock.now() - this.#openedAt < LIFE_MS_MIN;
    this.#failures = isShort ? this.#failures + 1 : 1;
    const what = formatPointer({ ...kind, id: "*" });
    log.warn({ watch: what, failures: this.#failures, cause: String(cause) }, "watch ended");
    if (this.#failures <= AT_ONCE_MAX) {
      activity.begin(); // from here to there is no pause
      queueMicrotask(() => {
        if (!this.#closed) this.open();
        activity.end();
      });
    } else {
      const delay = retryDelay(this.#failures - AT_ONCE_MAX, random);
      this.#leavePause = (isClosed) => {
        cancel();
        this.#leavePause = () => undefined;
        if (!isClosed) this.open();
      };
      const cancel = clock.alarm(after(clock.now(), delay), () => this.#leavePause(false));
    }
    this.#setBegun();
  }
}
