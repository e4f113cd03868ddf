/** What a watch has seen and its caller has not taken yet. */
import type { Observable, Subscription } from "rxjs";
import { InvalidBookmarkError, WatchOverrunError, type CodedError } from "../errors.ts";
import type { Bookmark, WatchEvent } from "../store/store.ts";

/** A watch of a store. */
export type Batches = Observable<readonly WatchEvent[]>;

/** Events in the order of the store, encoded; `next` gives all that wait. */
export interface Backlog {
  /** What the watch could not even be established for. */
  readonly refusal: CodedError | undefined;
  /** What the watch ended with, told as its last event. */
  readonly failure: CodedError | undefined;
  /**
   * Waits for events; `undefined` when there will be none.
   *
   * @throws what the watch failed with, after the events before it
   */
  readonly next: () => Promise<Iterable<Buffer> | undefined>;
  readonly close: () => void;
}

/** How much may wait, and what it is turned into. */
export interface BacklogOptions {
  /** Whether `bootstrapped` will come. */
  readonly bootstrapping: boolean;
  /** How many bytes of events may wait that came after the contents. */
  readonly bytesMax: number;
  readonly encode: (event: WatchEvent) => Buffer;
  /** Reads on from the log of the store when more than that had to wait; else the watch ends. */
  readonly resume?: ((bookmark: Bookmark) => Batches) | undefined;
}

/**
 * Subscribes at once. Contents of a bootstrap are in memory anyway, do not count and are encoded when
 * they are taken; beyond `bytesMax` of events that came after, the watch is read on later or ends with
 * an errored event. A single event always fits.
 */
export function openBacklog(source: Batches, options: BacklogOptions): Backlog {
  const backlog = new Waiting(options);
  backlog.follow(source);
  return backlog;
}

class Waiting implements Backlog {
  refusal: CodedError | undefined;
  failure: CodedError | undefined;
  readonly #options: BacklogOptions;
  /** Encoded, or to be encoded when they are taken. */
  #waiting: (Buffer | WatchEvent)[] = [];
  #bytes = 0;
  #counts: boolean;
  #lastBookmark: Bookmark | undefined;
  /** Whether events were left out after the last one that waits. */
  #cut = false;
  #resumed = false;
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;
  #subscription: Subscription | undefined;

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#counts = !options.bootstrapping;
  }

  follow(source: Batches): void {
    // What comes before subscribe returns ends the subscription only afterwards.
    const subscription = source.subscribe({
      next: (batch) => this.#takeAll(batch),
      error: (error: unknown) => this.#finish({ error }),
      complete: () => this.#finish({}),
    });
    this.#subscription = subscription;
    if (this.#end !== undefined || this.#cut) subscription.unsubscribe();
  }

  next = async (): Promise<Iterable<Buffer> | undefined> => {
    while (this.#waiting.length === 0) {
      if (this.#end !== undefined) {
        if ("error" in this.#end) throw this.#end.error;
        return undefined;
      }
      if (this.#cut) this.#resume();
      else await this.#news();
    }
    const taken = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    return encoded(taken, this.#options.encode);
  };

  close = (): void => {
    this.#finish({});
  };

  /** What cannot be encoded ends this watch, as the library would end the process. */
  #takeAll(batch: readonly WatchEvent[]): void {
    try {
      for (const event of batch) this.#take(event);
      this.#wake?.();
    } catch (error) {
      this.#finish({ error });
    }
  }

  #take(event: WatchEvent): void {
    if (this.#end !== undefined || this.#cut) return;
    if (event.type === "errored") {
      this.#fail(event.error);
      return;
    }
    if (!this.#counts) {
      this.#waiting.push(event);
      this.#counts = event.type === "bootstrapped";
    } else {
      const bytes = this.#options.encode(event);
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.#options.bytesMax) {
        this.#overrun();
        return;
      }
      this.#bytes += bytes.length;
      this.#waiting.push(bytes);
    }
    this.#lastBookmark = event.bookmark ?? this.#lastBookmark;
  }

  #overrun(): void {
    if (this.#options.resume === undefined || this.#lastBookmark === undefined)
      this.#fail(this.#overrunError());
    else {
      this.#cut = true;
      this.#subscription?.unsubscribe();
    }
  }

  #resume(): void {
    const { resume } = this.#options;
    if (resume === undefined || this.#lastBookmark === undefined) return;
    this.#cut = false;
    this.#resumed = true;
    this.follow(resume(this.#lastBookmark));
  }

  #fail(cause: CodedError): void {
    const lost = this.#resumed && cause instanceof InvalidBookmarkError;
    const error = lost ? this.#overrunError(cause) : cause;
    if (this.#waiting.length === 0 && this.#lastBookmark === undefined) this.refusal = error;
    this.failure = error;
    this.#waiting.push({ type: "errored", error });
    this.#finish({});
  }

  #finish(how: { readonly error?: unknown }): void {
    this.#end ??= how;
    this.#subscription?.unsubscribe();
    this.#wake?.();
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #overrunError(cause?: CodedError): WatchOverrunError {
    return new WatchOverrunError(
      `the watch is more than ${this.#options.bytesMax} bytes of events behind; ` +
        "list again and watch from there",
      { cause },
    );
  }
}

function* encoded(
  waiting: readonly (Buffer | WatchEvent)[],
  encode: (event: WatchEvent) => Buffer,
): Generator<Buffer> {
  for (const entry of waiting) yield Buffer.isBuffer(entry) ? entry : encode(entry);
}
