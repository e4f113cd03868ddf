/** Who watches a kind, or one resource of it. */
import type { Change } from "./change.ts";

/** A subscription; what was there when it began is not news to it. */
export interface Watcher {
  /** The position up to which it knows everything. */
  readonly since: number;
  /** @param changes of the watcher's kind, or of its resource; in order and not empty */
  deliver(changes: readonly Change[]): void;
}

/** The watchers of one kind. Watchers may come and go while changes are delivered. */
export class Audience {
  readonly #ofKind = new Set<Watcher>();
  readonly #ofId = new Map<string, Set<Watcher>>();

  get isEmpty(): boolean {
    return this.#ofKind.size === 0 && this.#ofId.size === 0;
  }

  /** @returns a function that takes the watcher out again */
  add(watcher: Watcher, id?: string): () => void {
    const watchers = id === undefined ? this.#ofKind : (this.#ofId.get(id) ?? new Set());
    watchers.add(watcher);
    if (id !== undefined) this.#ofId.set(id, watchers);
    return () => {
      watchers.delete(watcher);
      if (id !== undefined && watchers.size === 0 && this.#ofId.get(id) === watchers)
        this.#ofId.delete(id);
    };
  }

  /** Tells every watcher of what it does not know yet. */
  deliver(changes: readonly Change[]): void {
    for (const watcher of this.#ofKind) tell(watcher, changes);
    if (this.#ofId.size === 0) return;
    for (const change of changes) {
      for (const watcher of this.#ofId.get(change.id) ?? []) tell(watcher, [change]);
    }
  }
}

function tell(watcher: Watcher, changes: readonly Change[]): void {
  // The changes of one commit have neighbouring positions, and no watch begins in between.
  const [first] = changes;
  if (first !== undefined && first.position > watcher.since) watcher.deliver(changes);
}
