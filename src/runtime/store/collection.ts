/** The resources of one kind, by id and in order. */
import { byId, compareUtf8, matches, type Query } from "../query.ts";
import type { Resource } from "../resource.ts";
import { Audience } from "./audience.ts";
import type { Kind } from "./store.ts";

/** So many changed ids are put in their places one by one; more are merged into the list. */
const PATCHED_MAX = 32;
/** When more than this part of a kind has changed, its list is sorted anew. */
const MERGED_PART_MAX = 1 / 8;

/**
 * Resources of one kind. The sorted list is made when it is asked for, from the previous one where
 * little changed; it is the same array until something changes.
 */
export class Collection {
  readonly kind: Kind;
  readonly audience = new Audience();
  readonly #byId = new Map<string, Resource>();
  #sorted: readonly Resource[] = Object.freeze([]);
  /** Ids that changed since the list was made, or some of them when there are too many. */
  readonly #changed = new Set<string>();

  constructor(kind: Kind) {
    this.kind = kind;
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Resource | undefined {
    return this.#byId.get(id);
  }

  /** Puts a resource in its place, or takes the place away. */
  set(id: string, resource: Resource | undefined): void {
    if (resource === undefined) this.#byId.delete(id);
    else this.#byId.set(id, resource);
    if (this.#changed.size <= this.#changedMax) this.#changed.add(id);
  }

  list(query?: Query): readonly Resource[] {
    if (this.#changed.size > 0) this.#sort();
    return query === undefined
      ? this.#sorted
      : this.#sorted.filter(({ metadata }) => matches(query, metadata));
  }

  get #changedMax(): number {
    return Math.max(PATCHED_MAX, this.#sorted.length * MERGED_PART_MAX);
  }

  #sort(): void {
    const changed = [...this.#changed];
    let list: Resource[];
    if (changed.length > this.#changedMax) {
      list = [...this.#byId.values()].sort(byId);
    } else if (changed.length > PATCHED_MAX) {
      list = merged(this.#sorted, changed.sort(compareUtf8), this.#byId);
    } else {
      list = this.#sorted.slice();
      for (const id of changed) patch(list, id, this.#byId.get(id));
    }
    this.#sorted = Object.freeze(list);
    this.#changed.clear();
  }
}

/** A sorted list with the resources of the changed ids, which are sorted, as they are now. */
function merged(
  list: readonly Resource[],
  changed: readonly string[],
  now: ReadonlyMap<string, Resource>,
): Resource[] {
  const result: Resource[] = [];
  const keep = (resource: Resource | undefined) => {
    if (resource !== undefined) result.push(resource);
  };
  let next = 0;
  for (const id of changed) {
    const place = placeOf(list, id, next);
    for (; next < place; next++) keep(list[next]);
    if (list[next]?.metadata.id === id) next += 1;
    keep(now.get(id));
  }
  for (; next < list.length; next++) keep(list[next]);
  return result;
}

/** Puts the resource of `id` into a sorted list, or takes it out. */
function patch(list: Resource[], id: string, resource: Resource | undefined): void {
  const low = placeOf(list, id, 0);
  const present = list[low]?.metadata.id === id ? 1 : 0;
  if (resource === undefined) list.splice(low, present);
  else if (present === 1) list[low] = resource;
  else list.splice(low, 0, resource);
}

/** Where an id stands, or would stand, in a sorted list from `low` on. */
function placeOf(list: readonly Resource[], id: string, low: number): number {
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(list[middle]?.metadata.id ?? "", id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
