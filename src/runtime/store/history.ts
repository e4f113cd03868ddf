/** The newest changes of a store, and the bookmarks that point into them. */
import { InvalidBookmarkError } from "../errors.ts";
import type { Random } from "../random.ts";
import type { Change } from "./change.ts";
import type { Bookmark, Kind } from "./store.ts";

const COOKIE_BYTES = 16;
const POSITION_BYTES = 8;

/** Changes that were written down, further back than memory goes. */
export interface EventLog {
  /** The position of the oldest that is there. */
  readonly oldest: number;
  /**
   * Reads what came after a position, up to another.
   *
   * @throws {InvalidBookmarkError} when one of them cannot be read
   */
  pages(after: number, upTo: number): Iterable<readonly Change[]>;
  /** The newest changes of a kind, or of one resource, up to a position; oldest first. */
  newest(count: number, upTo: number, kind: Kind, id?: string): readonly Change[];
}

/** Where a history begins: in a new store at 0. */
export interface HistoryStart {
  /** What tells the bookmarks of this store from those of others. */
  readonly cookie: Uint8Array;
  /** The position of the newest change. */
  readonly head: number;
  readonly log?: EventLog;
}

/** A cookie for a new store. */
export const newCookie = (random: Random): Uint8Array => random.bytes(COOKIE_BYTES);

/** Remembers at least the newest `keep` changes of its time; a bookmark is the cookie and a position. */
export class History {
  readonly #template: Uint8Array;
  readonly #keep: number;
  readonly #log: EventLog | undefined;
  #changes: Change[] = [];
  #head: number;

  constructor({ cookie, head, log }: HistoryStart, keep: number) {
    this.#template = new Uint8Array(cookie.length + POSITION_BYTES);
    this.#template.set(cookie);
    this.#keep = keep;
    this.#log = log;
    this.#head = head;
  }

  /** The position of the newest change. */
  get head(): number {
    return this.#head;
  }

  append(changes: readonly Change[]): void {
    for (const change of changes) this.#changes.push(change);
    this.#head += changes.length;
    if (this.#changes.length > 2 * this.#keep)
      this.#changes = this.#changes.slice(this.#changes.length - this.#keep);
  }

  bookmarkAt(position: number): Bookmark {
    const bookmark = this.#template.slice();
    for (let i = bookmark.length - 1, rest = position; rest > 0; i--) {
      bookmark[i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    return bookmark;
  }

  /**
   * What came after a bookmark, in pages.
   *
   * @throws {InvalidBookmarkError} when it is not of this store, or older than what is remembered
   */
  after(bookmark: Bookmark): Iterable<readonly Change[]> {
    const position = this.#positionOf(bookmark);
    const oldest = this.#head - this.#changes.length;
    if (position >= oldest) return [this.#changes.slice(position - oldest)];
    if (this.#log === undefined || position < this.#log.oldest - 1)
      throw new InvalidBookmarkError(
        "the bookmark is older than the history of the store: list the resources again",
      );
    return this.#log.pages(position, this.#head);
  }

  /** The newest changes of a kind, or of one resource, that are remembered; oldest first. */
  newest(count: number, { namespace, type }: Kind, id?: string): readonly Change[] {
    const found: Change[] = [];
    for (let i = this.#changes.length - 1; i >= 0 && found.length < count; i--) {
      const change = this.#changes[i];
      if (change?.kind.type !== type || change.kind.namespace !== namespace) continue;
      if (id === undefined || change.id === id) found.push(change);
    }
    found.reverse();
    if (this.#log === undefined || found.length === count) return found;
    const upTo = this.#head - this.#changes.length;
    return [...this.#log.newest(count - found.length, upTo, { namespace, type }, id), ...found];
  }

  #positionOf(bookmark: Bookmark): number {
    const split = this.#template.length - POSITION_BYTES;
    if (
      bookmark.length !== this.#template.length ||
      !bookmark.subarray(0, split).every((byte, i) => this.#template[i] === byte)
    )
      throw new InvalidBookmarkError("the bookmark is not one of this store");
    const position = new DataView(bookmark.buffer, bookmark.byteOffset).getBigUint64(split);
    if (position > BigInt(this.#head))
      throw new InvalidBookmarkError("the bookmark points beyond the history of the store");
    return Number(position);
  }
}
