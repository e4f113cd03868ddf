/** The resources of one kind, by id and in order. */
import { compareUtf8, matches, type Query } from "../query.ts";
import type { Resource } from "../resource.ts";
import { Audience } from "./audience.ts";
import type { Kind } from "./store.ts";

/** So many changed ids are put in their places one by one; for more the whole list is sorted. */
const PATCHED_MAX = 32;

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

  get(id: string): Resource | undefined {
    return this.#byId.get(id);
  }

  /** Puts a resource in its place, or takes the place away. */
  set(id: string, resource: Resource | undefined): void {
    if (resource === undefined) this.#byId.delete(id);
    else this.#byId.set(id, resource);
    if (this.#changed.size <= PATCHED_MAX) this.#changed.add(id);
  }

  list(query?: Query): readonly Resource[] {
    if (this.#changed.size > 0) this.#sort();
    return query === undefined
      ? this.#sorted
      : this.#sorted.filter(({ metadata }) => matches(query, metadata));
  }

  #sort(): void {
    if (this.#changed.size > PATCHED_MAX) {
      this.#sorted = Object.freeze(
        [...this.#byId.values()].sort((a, b) => compareUtf8(a.metadata.id, b.metadata.id)),
      );
    } else {
      const list = this.#sorted.slice();
      for (const id of this.#changed) patch(list, id, this.#byId.get(id));
      this.#sorted = Object.freeze(list);
    }
    this.#changed.clear();
  }
}

/** Puts the resource of `id` into a sorted list, or takes it out. */
function patch(list: Resource[], id: string, resource: Resource | undefined): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(list[middle]?.metadata.id ?? "", id) < 0) low = middle + 1;
    else high = middle;
  }
  const present = list[low]?.metadata.id === id ? 1 : 0;
  if (resource === undefined) list.splice(low, present);
  else list.splice(low, present, resource);
}
