/** How long a machine can do nothing, for it is at something else or stands still. */
import { after, type Instant } from "../instant.ts";
import type { Kernel } from "./kernel/kernel.ts";

type Run = () => Promise<void>;

/** What waits until the machine can do something again. */
interface Deferred {
  readonly run: Run;
  readonly cancel: () => void;
}

/** Holds up what is to happen on a machine. */
export class Busy {
  readonly #kernel: Kernel;
  readonly #deferred = new Set<Deferred>();
  #until: Instant;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#until = kernel.now;
  }

  get isBusy(): boolean {
    return this.#until > this.#kernel.now;
  }

  /** True time, as far as the machine has come: it is ahead while something takes long. */
  get time(): Instant {
    return this.isBusy ? this.#until : this.#kernel.now;
  }

  /** Something takes so many milliseconds more. */
  take(duration: number): void {
    this.#until = after(this.time, duration);
  }

  /** Lets something happen now, or once it can. */
  async whenFree(run: Run): Promise<void> {
    if (this.isBusy) this.#defer(run);
    else await run();
  }

  /** Lets something happen at an instant, or once it can then. @returns a function that takes it back */
  at(when: Instant, run: Run): () => void {
    let cancel = this.#kernel.at(when, async () => {
      if (this.isBusy) cancel = this.#defer(run);
      else await run();
    });
    return () => {
      cancel();
    };
  }

  /** From now on it is not held up any more; what waited happens now. */
  end(): void {
    if (!this.isBusy) return;
    this.#until = this.#kernel.now;
    const deferred = [...this.#deferred];
    this.#deferred.clear();
    for (const entry of deferred) {
      entry.cancel();
      this.#kernel.at(this.#until, entry.run);
    }
  }

  /** While it waits it can be held up once more. */
  #defer(run: Run): () => void {
    let isCancelled = false;
    const guarded: Run = async () => {
      if (!isCancelled) await this.whenFree(run);
    };
    const cancel = this.#kernel.at(this.#until, async () => {
      this.#deferred.delete(entry);
      await guarded();
    });
    const entry: Deferred = { run: guarded, cancel };
    this.#deferred.add(entry);
    return () => {
      isCancelled = true;
      this.#deferred.delete(entry);
      cancel();
    };
  }
}
