/** First in, first out, without moving what waits. */
export class Fifo<T> {
  #entries: T[] = [];
  #head = 0;

  get size(): number {
    return this.#entries.length - this.#head;
  }

  push(entry: T): void {
    this.#entries.push(entry);
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const entry = this.#entries[this.#head];
    this.#entries[this.#head] = undefined as T; // so that it can be collected
    this.#head++;
    if (this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }

  /** Takes out the entry at that place; the first one has place 0. */
  take(place: number): T | undefined {
    return place < this.size ? this.#entries.splice(this.#head + place, 1)[0] : undefined;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let place = this.#head; place < this.#entries.length; place++)
      yield this.#entries[place] as T;
  }
}
