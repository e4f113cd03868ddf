/** The inputs of a controller with `run`, as a sequence that skips what nobody waited for. */
import type { InputsRead } from "./inputs.ts";
import { turn } from "./turn.ts";

/** Where the sequence gets its values from. */
export interface ChangesOptions {
  readonly signal: AbortSignal;
  /** Reads the inputs, and makes sure that strong ones stay while they are used. */
  readonly read: () => Promise<InputsRead>;
  /** The value that was delivered last is not used any more. */
  readonly finish: () => Promise<void>;
  /** Whether there is something to do. */
  readonly setBusy: (isBusy: boolean) => void;
}

type Values = InputsRead["values"] | null;

/**
 * One run's sequence. It is idle while it is waited on and nothing changed: only then has whoever
 * reads it seen everything.
 */
export class Changes implements AsyncIterableIterator<Values> {
  readonly #options: ChangesOptions;
  #isDue = true;
  #isDelivered = false;
  #isLeft = false;
  #last: Values | undefined;
  #wake: (() => void) | undefined;

  constructor(options: ChangesOptions) {
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Something changed. */
  note(): void {
    this.#isDue = true;
    if (!this.#wake) return; // asks for it by itself
    this.#options.setBusy(true);
    this.#wake();
  }

  /** Others are the inputs from now on: they are delivered whatever they are. */
  renew(): void {
    this.#last = undefined;
    this.note();
  }

  /** The signal was aborted: nobody waits any longer. */
  abandon(): void {
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Values, undefined>> {
    const { signal, setBusy, read, finish } = this.#options;
    this.#isLeft = false;
    setBusy(true);
    if (this.#isDelivered) await finish();
    this.#isDelivered = false;
    while (!signal.aborted) {
      if (!this.#isDue) {
        setBusy(false);
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
        continue;
      }
      this.#isDue = false;
      const { state, values } = await read();
      const value = state === "complete" ? values : null;
      if (this.#last !== undefined && isSame(this.#last, value)) continue;
      this.#last = value;
      this.#isDelivered = true;
      return { value, done: false };
    }
    return this.return();
  }

  /** Whoever reads it has stopped; when it was by a throw, then that takes a moment to show. */
  async return(): Promise<IteratorResult<Values, undefined>> {
    this.#isLeft = true;
    void turn().then(() => {
      if (this.#isLeft) this.#options.setBusy(false);
    });
    return { value: undefined, done: true };
  }
}

/** Whether all parts are the same objects. */
function isSame(left: Values, right: Values): boolean {
  if (left === null || right === null) return left === right;
  return Object.entries(right).every(([key, value]) => {
    const other = left[key];
    return Array.isArray(value) && Array.isArray(other)
      ? value.length === other.length && value.every((part, place) => part === other[place])
      : value === other;
  });
}
