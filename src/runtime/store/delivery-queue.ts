/** Deliveries to those who watch, one after the other. */
export class DeliveryQueue {
  #waiting: (() => void)[] = [];
  #running = false;

  /**
   * Runs a delivery at once; one that is made inside another runs after it, so that everybody gets
   * everything in one order.
   */
  run(delivery: () => void): void {
    if (this.#running) {
      this.#waiting.push(delivery);
      return;
    }
    this.#running = true;
    try {
      delivery();
      while (this.#waiting.length > 0) {
        const made = this.#waiting; // never shifted: a callback can make any number of them
        this.#waiting = [];
        for (const next of made) next();
      }
    } finally {
      this.#running = false;
    }
  }
}
