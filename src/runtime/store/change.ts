/** Changes of resources, and how they look to those who watch (cosi.md §2.6). */
import type { Pointer } from "../errors.ts";
import { instantOf } from "../instant.ts";
import { matches, type Query } from "../query.ts";
import type { Resource } from "../resource.ts";
import type { Bookmark, Kind, WatchEvent } from "./store.ts";

/** One write that was applied: `before` is missing for a create, `after` for a destroy. */
export interface Change {
  /** Place in the store's one sequence of changes; the first is 1. */
  readonly position: number;
  readonly kind: Kind;
  readonly id: string;
  readonly before: Resource | undefined;
  readonly after: Resource | undefined;
}

/** The event of a change as seen through a query; nothing when the query sees neither side. */
export function eventOf(
  { before, after }: Change,
  bookmark: Bookmark,
  query?: Query,
): WatchEvent | undefined {
  const was = before !== undefined && matches(query, before.metadata);
  const is = after !== undefined && matches(query, after.metadata);
  if (was && is) return Object.freeze({ type: "updated", resource: after, old: before, bookmark });
  if (is) return Object.freeze({ type: "created", resource: after, bookmark });
  // What left the answer of a query is shown as it is now, what left the store as it was.
  if (was) return Object.freeze({ type: "destroyed", resource: after ?? before, bookmark });
  return undefined;
}

/** What a watch of a resource that is not there begins with: version 0 and no spec. */
export const tombstone = ({ namespace, type, id }: Pointer): Resource =>
  Object.freeze({
    metadata: Object.freeze({
      namespace,
      type,
      id,
      version: 0,
      owner: "",
      phase: "running",
      created: instantOf(0),
      updated: instantOf(0),
      labels: Object.freeze({}),
      annotations: Object.freeze({}),
      finalizers: Object.freeze([]),
    }),
    spec: null,
  });
