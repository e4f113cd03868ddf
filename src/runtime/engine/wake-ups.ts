/**
 * Alarms of very many subjects over one alarm of the clock: a binary heap by instant. An alarm that
 * was replaced or cancelled stays in the heap until it comes to the top.
 */
import type { Clock } from "../clock.ts";
import type { Instant } from "../instant.ts";

interface Alarm<T> {
  readonly when: Instant;
  /** Alarms of one instant ring in the order in which they were set. */
  readonly order: number;
  readonly subject: T;
}

const isBefore = <T>(left: Alarm<T>, right: Alarm<T>): boolean =>
  left.when < right.when || (left.when === right.when && left.order < right.order);

/** At most one alarm for each subject. */
export class WakeUps<T> {
  readonly #clock: Clock;
  readonly #ring: (subject: T) => void;
  readonly #alarms = new Map<T, Alarm<T>>();
  #heap: Alarm<T>[] = [];
  #order = 0;
  #armed: { readonly when: Instant; readonly cancel: () => void } | undefined;

  constructor(clock: Clock, ring: (subject: T) => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Sets the alarm of a subject, or takes it away; the one that it had is gone. */
  set(subject: T, when: Instant | null): void {
    if (when === null) {
      if (this.#alarms.delete(subject)) this.#arm();
      return;
    }
    const alarm = { when, order: this.#order++, subject };
    this.#alarms.set(subject, alarm);
    this.#heap.push(alarm);
    this.#rise(this.#heap.length - 1);
    if (this.#heap.length > 2 * this.#alarms.size + 64) this.#compact();
    this.#arm();
  }

  /** Takes all alarms away. */
  clear(): void {
    this.#alarms.clear();
    this.#heap = [];
    this.#arm();
  }

  #arm(): void {
    const first = this.#first();
    if (first?.when === this.#armed?.when) return;
    this.#armed?.cancel();
    this.#armed = first && {
      when: first.when,
      cancel: this.#clock.alarm(first.when, () => this.#ringAll()),
    };
  }

  #ringAll(): void {
    this.#armed = undefined;
    const now = this.#clock.now();
    for (let due = this.#first(); due !== undefined && due.when <= now; due = this.#first()) {
      this.#alarms.delete(due.subject);
      this.#ring(due.subject);
    }
    this.#arm();
  }

  /** The earliest alarm that is still set. */
  #first(): Alarm<T> | undefined {
    for (;;) {
      const [top] = this.#heap;
      if (top === undefined || this.#alarms.get(top.subject) === top) return top;
      const last = this.#heap.pop();
      if (last !== undefined && this.#heap.length > 0) {
        this.#heap[0] = last;
        this.#sink(0);
      }
    }
  }

  #compact(): void {
    this.#heap = [...this.#alarms.values()].sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  #rise(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  #sink(from: number): void {
    for (let at = from; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const child = this.#isBeforeAt(right, left) ? right : left;
      if (!this.#swapIfBefore(child, at)) return;
      at = child;
    }
  }

  #isBeforeAt(left: number, right: number): boolean {
    const [a, b] = [this.#heap[left], this.#heap[right]];
    return a !== undefined && b !== undefined && isBefore(a, b);
  }

  /** Swaps child and parent when they stand the wrong way round. */
  #swapIfBefore(child: number, parent: number): boolean {
    const [a, b] = [this.#heap[child], this.#heap[parent]];
    if (a === undefined || b === undefined || !isBefore(a, b)) return false;
    this.#heap[child] = b;
    this.#heap[parent] = a;
    return true;
  }
}
