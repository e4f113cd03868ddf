/**
 * A watch of a kind that does not end: where the raw one does, it lists again, compares that with
 * what it knew, tells the difference, and goes on.
 */
import { Observable, Subscription } from "rxjs";
import { retryDelay } from "../backoff.ts";
import { systemClock, type Clock } from "../clock.ts";
import { after, instantOf, seconds } from "../instant.ts";
import type { Query } from "../query.ts";
import { systemRandom, type Random } from "../random.ts";
import type { Resource } from "../resource.ts";
import { StoreClosedError } from "./closed.ts";
import type { CoreStore, Kind, WatchEvent } from "./store.ts";

/** Options of {@link resume}. */
export interface ResumeOptions {
  readonly query?: Query;
  /** Default: the system's. It times the pauses between watches that break at once. */
  readonly clock?: Clock;
  /** Default: the system's. */
  readonly random?: Random;
}

/**
 * Watches a kind: first every resource as `created`, sorted by id, and `bootstrapped`; then what
 * changes. A watch that errs, or ends, is opened again; what changed meanwhile comes as `created`,
 * `updated` with the resource that was known before, and `destroyed`, in one batch and without
 * bookmarks. It completes when the store is closed, and never errs.
 */
export const resume = (
  core: CoreStore,
  kind: Kind,
  { query, clock = systemClock, random = systemRandom }: ResumeOptions = {},
): Observable<readonly WatchEvent[]> =>
  new Observable((subscriber) => {
    const watch = new ResumedWatch({
      core,
      kind,
      query,
      clock,
      random,
      onEvents: (events, mark) => {
        const batch = mark === undefined ? events : [...events, mark];
        if (batch.length > 0) subscriber.next(batch);
      },
      onBreak: (cause) => {
        if (cause instanceof StoreClosedError) subscriber.complete();
      },
    });
    watch.open();
    const forget = clock.onStep(() => watch.endPause());
    return () => {
      forget();
      watch.close();
    };
  });

/** An event about a resource. */
export type ChangeEvent = Extract<WatchEvent, { type: "created" | "updated" | "destroyed" }>;

type BootstrapMark = Extract<WatchEvent, { type: "bootstrapped" }>;

/** What a {@link ResumedWatch} needs. */
export interface ResumedWatchOptions {
  readonly core: CoreStore;
  readonly kind: Kind;
  readonly query?: Query | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** @param mark when the events are everything that was there at first */
  readonly onEvents: (events: readonly ChangeEvent[], mark?: BootstrapMark) => void;
  /** Everything that there is has been told. */
  readonly onWhole?: () => void;
  /** @param pauses whether it is opened again later, and not at once */
  readonly onBreak?: (cause: unknown, failures: number, pauses: boolean) => void;
}

/** A watch that ends sooner than this after it was opened is broken, and opened again later. */
const LIFE_MS_MIN = seconds(1);
/** How often a watch is opened again without a pause. */
const AT_ONCE_MAX = 3;

/** A watch of a kind that knows what it told. */
export class ResumedWatch {
  readonly #options: ResumedWatchOptions;
  #known = new Map<string, Resource>();
  #listed: Map<string, Resource> | undefined = new Map();
  #subscription = new Subscription();
  #leavePause: (isClosed: boolean) => void = () => undefined;
  #isFirst = true;
  #isClosed = false;
  #failures = 0;
  #openedAt = instantOf(-Infinity);

  constructor(options: ResumedWatchOptions) {
    this.#options = options;
  }

  /** What is there, as it was told. */
  get known(): Iterable<Resource> {
    return this.#known.values();
  }

  open(): void {
    const { core, kind, query, clock } = this.#options;
    this.#listed = new Map();
    this.#openedAt = clock.now();
    const subscription = new Subscription();
    this.#subscription = subscription;
    const end = (cause: unknown) => {
      if (subscription !== this.#subscription || this.#isClosed) return;
      subscription.unsubscribe();
      this.#reopen(cause);
    };
    const options = { bootstrapContents: true, ...(query !== undefined && { query }) };
    subscription.add(
      core.watchKind(kind, options).subscribe({
        next: (batch) => {
          const last = batch.at(-1);
          if (!subscription.closed) this.#take(batch);
          if (last?.type === "errored") end(last.error);
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
    this.#isClosed = true;
    this.#leavePause(true);
    this.#subscription.unsubscribe();
  }

  #take(batch: readonly WatchEvent[]): void {
    let news: ChangeEvent[] = [];
    for (const event of batch) {
      if (event.type === "noop" || event.type === "errored") continue;
      if (event.type === "bootstrapped") {
        this.#tell(news);
        news = [];
        this.#finishList(event);
      } else if (this.#listed === undefined) news.push(event);
      else this.#listed.set(event.resource.metadata.id, event.resource);
    }
    this.#tell(news);
  }

  #tell(news: readonly ChangeEvent[]): void {
    for (const { type, resource } of news)
      if (type === "destroyed") this.#known.delete(resource.metadata.id);
      else this.#known.set(resource.metadata.id, resource);
    if (news.length > 0) this.#options.onEvents(news);
  }

  #finishList(mark: BootstrapMark): void {
    const listed = this.#listed ?? new Map<string, Resource>();
    const news = differenceOf(this.#known, listed);
    this.#known = listed;
    this.#listed = undefined;
    if (this.#isFirst) this.#options.onEvents(news, mark);
    else if (news.length > 0) this.#options.onEvents(news);
    this.#isFirst = false;
    this.#options.onWhole?.();
  }

  #reopen(cause: unknown): void {
    const { clock, random, onBreak } = this.#options;
    const isShort = clock.now() - this.#openedAt < LIFE_MS_MIN;
    this.#failures = isShort ? this.#failures + 1 : 1;
    const pauses = this.#failures > AT_ONCE_MAX;
    onBreak?.(cause, this.#failures, pauses);
    if (this.#isClosed) return;
    if (!pauses) {
      queueMicrotask(() => {
        if (!this.#isClosed) this.open();
      });
      return;
    }
    const delay = retryDelay(this.#failures - AT_ONCE_MAX, random);
    this.#leavePause = (isClosed) => {
      cancel();
      this.#leavePause = () => undefined;
      if (!isClosed) this.open();
    };
    const cancel = clock.alarm(after(clock.now(), delay), () => this.#leavePause(false));
  }
}

/** What happened between two lists: what went, then what came or changed, in the order of the list. */
function differenceOf(
  known: ReadonlyMap<string, Resource>,
  listed: ReadonlyMap<string, Resource>,
): ChangeEvent[] {
  const events: ChangeEvent[] = [];
  for (const [id, resource] of known) {
    const now = listed.get(id);
    if (now === undefined || isAnother(resource, now)) events.push({ type: "destroyed", resource });
  }
  for (const [id, resource] of listed) {
    const old = known.get(id);
    if (old === undefined || isAnother(old, resource)) events.push({ type: "created", resource });
    else if (old.metadata.version !== resource.metadata.version)
      events.push({ type: "updated", resource, old });
  }
  return events;
}

/** Whether a resource was destroyed and one created in its place. */
const isAnother = ({ metadata: old }: Resource, { metadata }: Resource): boolean =>
  metadata.created !== old.created || metadata.version < old.version;
