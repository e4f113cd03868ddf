/** A store as a process of a simulated machine sees it: watches break and lag, and the dead are silent. */
import { map, Observable, type Subscriber } from "rxjs";
import { WatchOverrunError, type Pointer } from "../errors.ts";
import { oneByOne } from "../store/one-by-one.ts";
import type {
  CoreStore,
  Kind,
  WatchEvent,
  WatchKindOptions,
  WatchOptions,
} from "../store/store.ts";

type Batch = readonly WatchEvent[];

/** How a watch ends that nobody closed. */
export const watchEnds = ["overrun", "error", "complete"] as const;
export type WatchEnd = (typeof watchEnds)[number];

/** What the store of a process needs to know. */
export interface FaultyCoreOptions {
  readonly isAlive: () => boolean;
  /** Told of each commit that went well, before whoever made it is. */
  readonly onCommitted: () => void;
}

interface Follower {
  readonly subscriber: Subscriber<Batch>;
  /** Tells the end of its list, from which on it can lag; null from then on. */
  isListed: ((batch: Batch) => boolean) | null;
}

/** A core store that does as it is told. */
export class FaultyCore implements CoreStore {
  readonly atomic: boolean;
  readonly #core: CoreStore;
  readonly #options: FaultyCoreOptions;
  readonly #followers = new Set<Follower>();
  #breaking: { readonly end: WatchEnd; left: number } | undefined;
  #held: (() => void)[] | undefined;
  #waiting = 0;
  #asked = 0;
  readonly edit: NonNullable<CoreStore["edit"]>;

  constructor(core: CoreStore, options: FaultyCoreOptions) {
    this.atomic = core.atomic;
    this.#core = core;
    this.#options = options;
    this.edit = async (pointer, decide) => {
      const resource = await this.#heard(
        core.edit?.(pointer, decide) ?? Promise.resolve(undefined),
      );
      this.#options.onCommitted();
      return resource;
    };
  }

  get(...given: Parameters<CoreStore["get"]>): ReturnType<CoreStore["get"]> {
    return this.#heard(this.#core.get(...given));
  }

  list(...given: Parameters<CoreStore["list"]>): ReturnType<CoreStore["list"]> {
    return this.#heard(this.#core.list(...given));
  }

  async commit(...given: Parameters<CoreStore["commit"]>): ReturnType<CoreStore["commit"]> {
    const resources = await this.#heard(this.#core.commit(...given));
    this.#options.onCommitted();
    return resources;
  }

  snapshot: CoreStore["snapshot"] = (kinds, read) => this.#heard(this.#core.snapshot(kinds, read));

  watch(pointer: Pointer, options: WatchOptions = {}): Observable<WatchEvent> {
    const batches = this.#core.watch(pointer, options).pipe(map((event): Batch => [event]));
    const { tailEvents, startFromBookmark } = options;
    const begins = tailEvents === undefined && startFromBookmark === undefined;
    return oneByOne(this.#followed(batches, begins ? () => true : null));
  }

  watchKind(kind: Kind, options: WatchKindOptions = {}): Observable<Batch> {
    const isListed = (batch: Batch) => batch.some(({ type }) => type === "bootstrapped");
    const batches = this.#core.watchKind(kind, options);
    return this.#followed(batches, options.bootstrapContents === true ? isListed : null);
  }

  /** @param isListed whether what there is has been told with that; null: it begins with what comes */
  #followed(
    batches: Observable<Batch>,
    isListed: ((batch: Batch) => boolean) | null,
  ): Observable<Batch> {
    return new Observable((subscriber) => {
      const follower: Follower = { subscriber, isListed };
      if (this.#breaking !== undefined && this.#breaking.left-- > 0) {
        endings[this.#breaking.end](subscriber);
        return;
      }
      this.#followers.add(follower);
      subscriber.add(() => this.#followers.delete(follower));
      subscriber.add(
        batches.subscribe({
          next: (batch) => this.#deliver(follower, batch),
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      );
    });
  }

  close(): Promise<void> {
    return this.#core.close();
  }

  /**
   * Ends watches.
   *
   * @returns how many
   * @param which one of them, by a number in [0, 1); left out: all
   * @param again so many of the watches that are opened next end at once
   */
  endWatches(end: WatchEnd, which?: number, again = 0): number {
    this.#breaking = { end, left: again };
    const all = [...this.#followers];
    const chosen =
      which === undefined ? all : all.slice(Math.floor(which * all.length)).slice(0, 1);
    for (const { subscriber } of chosen) endings[end](subscriber);
    return chosen.length;
  }

  /** From now on nobody who watches hears anything. */
  startLagging(): void {
    this.#held ??= [];
  }

  /** Everybody hears what they missed, in order. */
  stopLagging(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const deliver of held) deliver();
  }

  #deliver(follower: Follower, batch: Batch): void {
    const { subscriber, isListed } = follower;
    if (isListed?.(batch)) follower.isListed = null;
    if (isListed === null && this.#held !== undefined)
      this.#held.push(() => subscriber.next(batch));
    else if (this.#options.isAlive()) subscriber.next(batch);
  }

  /** How many reads and writes are not answered yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** How many there were. */
  get asked(): number {
    return this.#asked;
  }

  /** A process that is dead gets no answer. */
  #heard<T>(answer: Promise<T>): Promise<T> {
    const { isAlive } = this.#options;
    this.#waiting++;
    this.#asked++;
    return new Promise((resolve, reject) => {
      answer.then(
        (value) => {
          this.#waiting--;
          if (isAlive()) resolve(value);
        },
        (error: unknown) => {
          this.#waiting--;
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it is
          if (isAlive()) reject(error);
        },
      );
    });
  }
}

const endings: Readonly<Record<WatchEnd, (subscriber: Subscriber<Batch>) => void>> = {
  overrun(subscriber) {
    const error = new WatchOverrunError("the watch fell too far behind");
    subscriber.next([{ type: "errored", error }]);
    subscriber.complete();
  },
  error: (subscriber) => subscriber.error(new Error("the connection was lost")),
  complete: (subscriber) => subscriber.complete(),
};
