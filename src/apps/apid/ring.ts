/** The last of what was said, for readers who look back and for those who stay. */

/** What a reader gets at once. */
export interface Piece<Item> {
  readonly items: readonly Item[];
  /** How many before these were gone when the reader came to them. */
  readonly lost: number;
}

/** Where a reader begins and ends, as positions of a {@link Ring}. */
export interface Span {
  readonly from: number;
  /** Default: it stays, and waits for more. */
  readonly to?: number;
  /** Ends the reading. */
  readonly signal?: AbortSignal;
}

/** What is held at most. */
export interface Bounds<Item> {
  readonly itemsMax: number;
  readonly weightMax?: number;
  readonly weightOf?: (item: Item) => number;
}

/** How many items a reader gets at once. */
const PIECE_ITEMS_MAX = 256;

/**
 * Holds the last items; a reader keeps none of its own, so a slow one costs nothing and misses some.
 * Positions count from the first item that there ever was.
 */
export class Ring<Item> {
  readonly #bounds: Bounds<Item>;
  readonly #items: Item[] = [];
  readonly #readers = new Set<{ at: number }>();
  readonly #waiting = new Set<() => void>();
  #weight = 0;
  #first = 0;

  constructor(bounds: Bounds<Item>) {
    this.#bounds = bounds;
  }

  /** The position of the oldest item that is held. */
  get first(): number {
    return this.#first;
  }

  /** The position of what comes next. */
  get end(): number {
    return this.#first + this.#items.length;
  }

  /** What is held, oldest first; at {@link first} and after it. */
  get items(): readonly Item[] {
    return this.#items;
  }

  append(item: Item): void {
    const { itemsMax, weightMax = Infinity, weightOf = () => 0 } = this.#bounds;
    this.#items.push(item);
    this.#weight += weightOf(item);
    while (this.#items.length > itemsMax || this.#weight > weightMax) {
      const oldest = this.#items.shift();
      if (oldest === undefined) break;
      this.#weight -= weightOf(oldest);
      this.#first += 1;
    }
    this.#wake();
  }

  /** Reads on as fast as it is iterated. */
  async *read({ from, to = Infinity, signal }: Span): AsyncGenerator<Piece<Item>, void> {
    const reader = { at: from };
    this.#readers.add(reader);
    signal?.addEventListener("abort", this.#wake);
    try {
      while (reader.at < to && !signal?.aborted) {
        const lost = Math.max(0, this.#first - reader.at);
        const start = reader.at + lost - this.#first;
        const length = Math.min(PIECE_ITEMS_MAX, to - reader.at - lost);
        const items = this.#items.slice(start, start + Math.max(0, length));
        if (items.length === 0 && lost === 0) {
          await this.#change();
          continue;
        }
        yield { items, lost };
        reader.at += lost + items.length; // only now that they have been dealt with
        if (reader.at === this.end) this.#wake();
      }
    } finally {
      signal?.removeEventListener("abort", this.#wake);
      this.#readers.delete(reader);
      this.#wake();
    }
  }

  /** Resolves when each reader of this moment has what there is, or is gone. */
  async caughtUp(): Promise<void> {
    const { end } = this;
    const readers = [...this.#readers];
    while (readers.some((reader) => this.#readers.has(reader) && reader.at < end))
      await this.#change();
  }

  readonly #wake = (): void => {
    for (const wake of [...this.#waiting]) wake();
  };

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
    });
  }
}
