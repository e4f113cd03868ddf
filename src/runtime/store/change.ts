/** Changes of resources, and how they look to those who watch (cosi.md §2.6). */
import type { Pointer } from "../errors.ts";
import { instantOf } from "../instant.ts";
import { matches, type Query } from "../query.ts";
import type { Resource } from "../resource.ts";
import { metadataOf, noFinalizers, noText } from "./metadata.ts";
import type { Bookmark, Kind, WatchEvent } from "./store.ts";

/** The sides of a change: `before` is missing for a create, `after` for a destroy. */
interface Sides {
  readonly before: Resource | undefined;
  readonly after: Resource | undefined;
}

type ChangeEvent = Extract<WatchEvent, { resource: Resource }>;

/** One write that was applied. */
export class Change implements Sides {
  /** Place in the store's one sequence of changes; the first is 1. */
  readonly position: number;
  readonly kind: Kind;
  readonly id: string;
  readonly before: Resource | undefined;
  readonly after: Resource | undefined;
  #event: ChangeEvent | undefined;

  constructor(position: number, kind: Kind, id: string, { before, after }: Sides) {
    this.position = position;
    this.kind = kind;
    this.id = id;
    this.before = before;
    this.after = after;
  }

  /** Its event through a query; one object for all who see the same. Nothing when it is not seen. */
  seenThrough(
    query: Query | undefined,
    bookmarkAt: (position: number) => Bookmark,
  ): WatchEvent | undefined {
    const { before, after } = this;
    this.#event ??= eventOf(before, after, bookmarkAt(this.position));
    if (query === undefined) return this.#event;
    const was = before !== undefined && matches(query, before.metadata);
    const is = after !== undefined && matches(query, after.metadata);
    if (was === (before !== undefined) && is === (after !== undefined)) return this.#event;
    // What ends to match looks destroyed, and is shown as it is now.
    const seen = was || is ? after : undefined;
    if (seen === undefined) return undefined;
    const bookmark = bookmarkAt(this.position);
    return Object.freeze({ type: is ? "created" : "destroyed", resource: seen, bookmark });
  }
}

/** The event of a change for those who see all of the kind. */
function eventOf(
  before: Resource | undefined,
  after: Resource | undefined,
  bookmark: Bookmark,
): ChangeEvent {
  if (after === undefined) {
    if (before === undefined) throw new TypeError("a change has at least one side");
    return Object.freeze({ type: "destroyed", resource: before, bookmark });
  }
  return before === undefined
    ? Object.freeze({ type: "created", resource: after, bookmark })
    : Object.freeze({ type: "updated", resource: after, old: before, bookmark });
}

/** What a watch of a resource that is not there begins with: version 0 and no spec. */
export const tombstone = ({ namespace, type, id }: Pointer): Resource =>
  Object.freeze({
    metadata: metadataOf(
      { namespace, type, id },
      { version: 0, owner: "", created: instantOf(0), updated: instantOf(0) },
      { phase: "running", labels: noText, annotations: noText, finalizers: noFinalizers },
    ),
    spec: null,
  });
