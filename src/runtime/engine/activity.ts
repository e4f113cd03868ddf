/** Counts what is going on in an engine, and tells when nothing is. */
export class Activity {
  #count = 0;
  #closed = false;
  #waiting: (() => void)[] = [];

  begin(): void {
    this.#count++;
  }

  end(): void {
    this.#count--;
    if (this.#count === 0) this.#release();
  }

  /** From now on nothing counts: the engine has stopped. */
  close(): void {
    this.#closed = true;
    this.#release();
  }

  /** Resolves while nothing is going on; at once when that is the case now. */
  async settled(): Promise<void> {
    while (this.#count > 0 && !this.#closed)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
