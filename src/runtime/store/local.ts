/**
 * The store of this process: resources live in memory and are read from there. A journal, where
 * there is one, makes the changes of many commits durable at once.
 */
import { Observable, type Subscriber } from "rxjs";
import type { Clock } from "../clock.ts";
import { CodedError, type Pointer } from "../errors.ts";
import { instantOf, type Instant } from "../instant.ts";
import type { Query } from "../query.ts";
import type { Resource } from "../resource.ts";
import { Beginnings } from "./beginnings.ts";
import type { Change } from "./change.ts";
import { StoreClosedError } from "./closed.ts";
import type { Collections } from "./collections.ts";
import { CommitGroup, type Staged } from "./commit-group.ts";
import { DeliveryQueue } from "./delivery-queue.ts";
import type { History } from "./history.ts";
import { oneByOne } from "./one-by-one.ts";
import type {
  CoreStore,
  Decide,
  Kind,
  View,
  WatchEvent,
  WatchKindOptions,
  WatchOptions,
  Write,
} from "./store.ts";
import { checkWatchOptions } from "./watch-options.ts";

/** Makes changes durable. */
export interface Journal {
  /** Writes all of the changes or, when it throws, none. */
  append(changes: readonly Change[]): void;
  close(): void;
}

/** What a {@link LocalStore} consists of. */
export interface LocalParts {
  readonly clock: Clock;
  readonly collections: Collections;
  readonly history: History;
  readonly journal?: Journal;
}

type Batch = readonly WatchEvent[];

/** What a watch is after: one id or what a query matches. */
interface Followed {
  readonly id?: string;
  readonly query?: Query | undefined;
  readonly beginning: () => Iterable<Batch>;
}

/** Everything that is shared by the stores of this process. */
export class LocalStore implements CoreStore {
  readonly atomic = true;
  readonly #clock: Clock;
  readonly #collections: Collections;
  readonly #history: History;
  readonly #beginnings: Beginnings;
  readonly #journal: Journal | undefined;
  readonly #group: CommitGroup | undefined;
  readonly #deliveries = new DeliveryQueue();
  readonly #subscribers = new Set<Subscriber<Batch>>();
  #closed = false;
  #deciding = false;

  constructor({ clock, collections, history, journal }: LocalParts) {
    this.#clock = clock;
    this.#collections = collections;
    this.#history = history;
    this.#beginnings = new Beginnings(collections, history);
    this.#journal = journal;
    this.#group =
      journal &&
      new CommitGroup({
        append: (changes) => journal.append(changes),
        undo: (changes) => collections.undo(changes),
        publish: (commits) => this.#publish(commits),
      });
  }

  async get(pointer: Pointer): Promise<Resource | undefined> {
    this.#check();
    return this.#collections.get(pointer);
  }

  async list(kind: Kind, query?: Query): Promise<readonly Resource[]> {
    this.#check();
    return this.#collections.list(kind, query);
  }

  async snapshot<T>(_kinds: readonly Kind[], read: (view: View) => T): Promise<T> {
    this.#check();
    return read(this.#collections);
  }

  async commit(writes: readonly Write[]): Promise<readonly Resource[]> {
    return this.#transact(() => {
      const { changes, resources } = this.#collections.apply(writes, this.#now());
      return { changes, result: resources };
    });
  }

  async edit(pointer: Pointer, decide: Decide): Promise<Resource | undefined> {
    return this.#transact(() => {
      const stored = this.#collections.get(pointer);
      const write = this.#decided(decide, stored);
      if (write === undefined) return { changes: [], result: stored };
      const { changes, resources } = this.#collections.apply([write], this.#now());
      return { changes, result: resources[0] };
    });
  }

  watch(pointer: Pointer, options: WatchOptions = {}): Observable<WatchEvent> {
    checkWatchOptions(options);
    const beginning = () => this.#beginnings.ofResource(pointer, options);
    const batches = new Observable<Batch>((subscriber) =>
      this.#follow(subscriber, pointer, { id: pointer.id, beginning }),
    );
    return oneByOne(batches);
  }

  watchKind(kind: Kind, options: WatchKindOptions = {}): Observable<Batch> {
    checkWatchOptions(options);
    const beginning = () => this.#beginnings.ofKind(kind, options);
    return new Observable((subscriber) =>
      this.#follow(subscriber, kind, { beginning, query: options.query }),
    );
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#group?.flush();
    this.#deliveries.run(() => {
      for (const subscriber of this.#subscribers) subscriber.complete();
    });
    this.#journal?.close();
  }

  /** Whole milliseconds, as files have them. */
  #now(): Instant {
    return instantOf(Math.floor(this.#clock.now()));
  }

  #check(): void {
    if (this.#closed) throw new StoreClosedError();
    if (this.#deciding) throw new TypeError("a recipe cannot use the store that it is run by");
  }

  #transact<T>(stage: () => Staged<T>): T | Promise<T> {
    this.#check();
    if (this.#group !== undefined) return this.#group.join(stage);
    const { changes, result } = stage();
    this.#publish([changes]);
    return result;
  }

  #decided(decide: Decide, stored: Resource | undefined): Write | undefined {
    this.#deciding = true;
    try {
      return decide(stored);
    } finally {
      this.#deciding = false;
    }
  }

  /** Tells the world of commits, in order. */
  #publish(commits: readonly (readonly Change[])[]): void {
    for (const changes of commits) this.#history.append(changes);
    for (const changes of commits) {
      const [only] = changes;
      if (only !== undefined && changes.length === 1) this.#tell(only.kind, changes);
      else Map.groupBy(changes, ({ kind }) => kind).forEach((news, kind) => this.#tell(kind, news));
    }
  }

  #tell(kind: Kind, changes: readonly Change[]): void {
    const { audience } = this.#collections.of(kind);
    if (!audience.isEmpty) this.#deliveries.run(() => audience.deliver(changes));
  }

  /** Connects a subscriber: first how the watch begins, then what comes. */
  #follow(
    subscriber: Subscriber<Batch>,
    kind: Kind,
    { id, beginning, query }: Followed,
  ): (() => void) | undefined {
    let first: Iterable<Batch>;
    try {
      this.#check();
      first = beginning();
    } catch (error) {
      fail(subscriber, error);
      return undefined;
    }
    this.#subscribers.add(subscriber);
    const news = (changes: readonly Change[]) => {
      const events = this.#beginnings.eventsOf(changes, query);
      if (events.length > 0) subscriber.next(events);
    };
    const deliver = (changes: readonly Change[]) => attempt(subscriber, () => news(changes));
    const { audience } = this.#collections.of(kind);
    const leave = audience.add({ since: this.#history.head, deliver }, id);
    this.#deliveries.run(() =>
      attempt(subscriber, () => {
        for (const batch of first) {
          if (subscriber.closed) return;
          subscriber.next(batch);
        }
      }),
    );
    return () => {
      leave();
      this.#subscribers.delete(subscriber);
    };
  }
}

/** What goes wrong with one watch, such as a query that throws, is of no concern to others. */
function attempt(subscriber: Subscriber<Batch>, run: () => void): void {
  try {
    run();
  } catch (error) {
    fail(subscriber, error);
  }
}

/** Ends a watch: what the world caused is its last event, anything else is an error. */
function fail(subscriber: Subscriber<Batch>, error: unknown): void {
  if (!(error instanceof CodedError)) {
    subscriber.error(error);
    return;
  }
  subscriber.next([{ type: "errored", error }]);
  subscriber.complete();
}
