/** How watches begin: with what is there, or with what was (cosi.md §2.6). */
import type { Pointer } from "../errors.ts";
import type { Query } from "../query.ts";
import { tombstone, type Change } from "./change.ts";
import type { Collections } from "./collections.ts";
import type { History } from "./history.ts";
import type { Bookmark, Kind, WatchEvent, WatchKindOptions, WatchOptions } from "./store.ts";

type Batch = readonly WatchEvent[];

/**
 * Beginnings as of the moment that they are asked for; those that come from a log are read when
 * they are taken, and may fail then.
 */
export class Beginnings {
  readonly #collections: Collections;
  readonly #history: History;

  constructor(collections: Collections, history: History) {
    this.#collections = collections;
    this.#history = history;
  }

  /** @throws {InvalidBookmarkError} */
  ofResource(pointer: Pointer, options: WatchOptions): Iterable<Batch> {
    const { tailEvents = 0, startFromBookmark } = options;
    if (tailEvents > 0)
      return this.#batches([this.#history.newest(tailEvents, pointer, pointer.id)]);
    if (startFromBookmark !== undefined)
      return this.#batches(this.#history.after(startFromBookmark), {
        kind: pointer,
        id: pointer.id,
      });
    const resource = this.#collections.get(pointer);
    const bookmark = this.#here();
    return resource === undefined
      ? [[{ type: "destroyed", resource: tombstone(pointer), bookmark }]]
      : [[{ type: "created", resource, bookmark }]];
  }

  /** @throws {InvalidBookmarkError} */
  ofKind(kind: Kind, options: WatchKindOptions): Iterable<Batch> {
    const { query, bootstrapContents, bootstrapBookmark, tailEvents = 0 } = options;
    const noop = (bookmark: Bookmark): readonly Batch[] =>
      bootstrapBookmark === true ? [[{ type: "noop", bookmark }]] : [];
    if (options.startFromBookmark !== undefined) {
      const missed = this.#history.after(options.startFromBookmark);
      return concat(noop(options.startFromBookmark), this.#batches(missed, { kind, query }));
    }
    if (tailEvents > 0) {
      const newest = this.#history.newest(tailEvents, kind);
      const before = newest[0] ? newest[0].position - 1 : this.#history.head;
      const start = this.#history.bookmarkAt(before);
      return concat(noop(start), this.#batches([newest], { kind, query }));
    }
    return concat(
      bootstrapContents === true ? [this.#contents(kind, query)] : [],
      noop(this.#here()),
    );
  }

  /** The events of changes. */
  eventsOf(changes: readonly Change[], query?: Query): Batch {
    const events: WatchEvent[] = [];
    for (const change of changes) {
      const event = change.seenThrough(query, this.#bookmarkAt);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  readonly #bookmarkAt = (position: number): Bookmark => this.#history.bookmarkAt(position);

  #here(): Bookmark {
    return this.#history.bookmarkAt(this.#history.head);
  }

  #contents(kind: Kind, query: Query | undefined): Batch {
    const events: WatchEvent[] = [];
    for (const resource of this.#collections.list(kind, query))
      events.push({ type: "created", resource });
    events.push({ type: "bootstrapped", bookmark: this.#here() });
    return events;
  }

  *#batches(
    pages: Iterable<readonly Change[]>,
    { kind, id, query }: { kind?: Kind; id?: string; query?: Query | undefined } = {},
  ): Generator<Batch> {
    for (const page of pages) {
      const changes = kind === undefined ? page : page.filter(isOf(kind, id));
      const events = this.eventsOf(changes, query);
      if (events.length > 0) yield events;
    }
  }
}

/** Tells whether a change is of a kind, or of one resource of it. */
export const isOf =
  ({ namespace, type }: Kind, id?: string) =>
  (change: Change): boolean =>
    change.kind.type === type &&
    change.kind.namespace === namespace &&
    (id === undefined || change.id === id);

function* concat<T>(first: Iterable<T>, second: Iterable<T>): Generator<T> {
  yield* first;
  yield* second;
}
