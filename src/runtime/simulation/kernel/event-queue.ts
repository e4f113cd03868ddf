/** What is going to happen, by true time: a binary heap. Events of one instant keep their order. */
import type { Instant } from "../../instant.ts";

interface Event {
  readonly when: Instant;
  readonly order: number;
  run: (() => void | Promise<void>) | undefined;
}

const isBefore = (left: Event, right: Event): boolean =>
  left.when < right.when || (left.when === right.when && left.order < right.order);

/** A queue of events. */
export class EventQueue {
  readonly #heap: Event[] = [];
  #order = 0;

  /** @returns a function that takes the event away; calling it late or twice does nothing */
  add(when: Instant, run: () => void | Promise<void>): () => void {
    const event: Event = { when, order: this.#order++, run };
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
    return () => {
      event.run = undefined;
    };
  }

  /** When the first event is. */
  get next(): Instant | undefined {
    return this.#first()?.when;
  }

  /** Takes the first event out. */
  take(): (() => void | Promise<void>) | undefined {
    const first = this.#first();
    if (first !== undefined) this.#drop();
    return first?.run;
  }

  #first(): Event | undefined {
    for (;;) {
      const [first] = this.#heap;
      if (first === undefined || first.run !== undefined) return first;
      this.#drop();
    }
  }

  #drop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let at = 0; ;) {
      const child = this.#isBeforeAt(2 * at + 2, 2 * at + 1) ? 2 * at + 2 : 2 * at + 1;
      if (!this.#swapIfBefore(child, at)) return;
      at = child;
    }
  }

  #rise(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  #isBeforeAt(left: number, right: number): boolean {
    const [a, b] = [this.#heap[left], this.#heap[right]];
    return a !== undefined && b !== undefined && isBefore(a, b);
  }

  #swapIfBefore(child: number, parent: number): boolean {
    const [a, b] = [this.#heap[child], this.#heap[parent]];
    if (a === undefined || b === undefined || !isBefore(a, b)) return false;
    this.#heap[child] = b;
    this.#heap[parent] = a;
    return true;
  }
}
