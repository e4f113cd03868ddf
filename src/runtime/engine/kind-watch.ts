/** Follows one kind for as long as somebody wants to know of it. A watch that ends is never fatal. */
import type { Clock } from "../clock.ts";
import { formatPointer } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Random } from "../random.ts";
import { ResumedWatch, type ChangeEvent } from "../store/resume.ts";
import type { Resource } from "../resource.ts";
import type { CoreStore, Kind } from "../store/store.ts";
import type { Activity } from "./activity.ts";

export type { ChangeEvent } from "../store/resume.ts";

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
}

/** The watch of one kind. The engine counts as busy while it opens, and not while it pauses. */
export class KindWatch {
  readonly #options: KindWatchOptions;
  readonly #watch: ResumedWatch;
  readonly #begun = Promise.withResolvers<undefined>();
  #hasBegun = false;
  #isBusy = false;

  constructor(options: KindWatchOptions) {
    const { kind, log, onChange } = options;
    this.#options = options;
    this.#watch = new ResumedWatch({
      ...options,
      onEvents: (events, mark) => {
        for (const event of events) onChange(event, mark !== undefined);
      },
      onWhole: () => {
        this.#hasBegun = true;
        this.#begun.resolve(undefined);
        this.#setBusy(false);
      },
      onBreak: (cause, failures, pauses) => {
        const watch = formatPointer({ ...kind, id: "*" });
        log.warn({ watch, failures, cause: String(cause) }, "watch ended");
        this.#setBusy(!pauses);
      },
    });
  }

  /** Everything that was there when it began has been told. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** What is there, as it was told. */
  get known(): Iterable<Resource> {
    return this.#watch.known;
  }

  open(): void {
    this.#setBusy(true);
    this.#watch.open();
  }

  /** Resolves when it has begun, or was closed before. */
  async begun(): Promise<void> {
    await this.#begun.promise;
  }

  /** The clock was set: opens now if it pauses. */
  endPause(): void {
    this.#watch.endPause();
  }

  close(): void {
    this.#watch.close();
    this.#begun.resolve(undefined);
    this.#setBusy(false);
  }

  #setBusy(isBusy: boolean): void {
    if (isBusy === this.#isBusy) return;
    this.#isBusy = isBusy;
    if (isBusy) this.#options.activity.begin();
    else this.#options.activity.end();
  }
}
