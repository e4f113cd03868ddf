/** The newest changes of a store, and the bookmarks that point into them. */
import { InvalidBookmarkError } from "../errors.ts";
import type { Random } from "../random.ts";
import type { Change } from "./change.ts";
import type { Bookmark } from "./store.ts";

const COOKIE_BYTES = 16;
const POSITION_BYTES = 8;

/** Where a history begins: in a new store at 0 and empty. */
export interface HistoryStart {
  /** What tells the bookmarks of this store from those of others. */
  readonly cookie: Uint8Array;
  /** Positions without a gap, the last of them the store's newest. */
  readonly changes: readonly Change[];
  readonly head: number;
}

/** A cookie for a new store. */
export const newCookie = (random: Random): Uint8Array => random.bytes(COOKIE_BYTES);

/** Remembers at least the newest `keep` changes; a bookmark is the cookie and a position. */
export class History {
  readonly #cookie: Uint8Array;
  readonly #keep: number;
  #changes: Change[];
  #head: number;

  constructor({ cookie, changes, head }: HistoryStart, keep: number) {
    this.#cookie = cookie;
    this.#keep = keep;
    this.#changes = [...changes];
    this.#head = head;
  }

  /** The position of the newest change. */
  get head(): number {
    return this.#head;
  }

  append(changes: readonly Change[]): void {
    for (const change of changes) this.#changes.push(change);
    this.#head += changes.length;
    if (this.#changes.length > 2 * this.#keep) this.#changes = this.#changes.slice(-this.#keep);
  }

  bookmarkAt(position: number): Bookmark {
    const bookmark = new Uint8Array(this.#cookie.length + POSITION_BYTES);
    bookmark.set(this.#cookie);
    new DataView(bookmark.buffer).setBigUint64(this.#cookie.length, BigInt(position));
    return bookmark;
  }

  /**
   * What came after a bookmark.
   *
   * @throws {InvalidBookmarkError} when it is not of this store, or older than what is remembered
   */
  after(bookmark: Bookmark): readonly Change[] {
    const position = this.#positionOf(bookmark);
    const oldest = this.#head - this.#changes.length;
    if (position < oldest)
      throw new InvalidBookmarkError(
        "the bookmark is older than the history of the store: list the resources again",
      );
    return this.#changes.slice(position - oldest);
  }

  #positionOf(bookmark: Bookmark): number {
    const split = this.#cookie.length;
    if (
      bookmark.length !== split + POSITION_BYTES ||
      !this.#cookie.every((byte, i) => bookmark[i] === byte)
    )
      throw new InvalidBookmarkError("the bookmark is not one of this store");
    const view = new DataView(bookmark.buffer, bookmark.byteOffset);
    const position = view.getBigUint64(split);
    if (position > BigInt(this.#head))
      throw new InvalidBookmarkError("the bookmark points beyond the history of the store");
    return Number(position);
  }
}
