/** Deliveries to those who watch, one after the other. */
export class DeliveryQueue {
  #waiting: (() => void)[] = [];
  #running = false;

  /**
   * Runs a delivery at once; one that is made inside another runs after it, so that everybody gets
   * everything in one order.
   */
  run(delivery: () => void): void {
    this.#waiting.push(delivery);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
        next();
    } finally {
      this.#running = false;
    }
  }
}
