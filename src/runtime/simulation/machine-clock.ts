/** The clock of a simulated machine, which may be wrong, and what a process sees of it. */
import type { Clock } from "../clock.ts";
import { after, instantOf, type Instant } from "../instant.ts";

/** Local time as a function of true time. */
export class MachineClock {
  #true: Instant;
  #local: Instant;
  #rate = 1;

  /** @param now true time: at first the clock is right */
  constructor(now: Instant) {
    this.#true = this.#local = now;
  }

  /** What it shows at an instant of true time. */
  read(moment: Instant): Instant {
    return instantOf(Math.floor(this.#local + (moment - this.#true) * this.#rate));
  }

  /** The first whole millisecond of true time at which it shows `local`, if nobody sets it. */
  whenItShows(local: Instant): Instant {
    const exact = this.#true + (local - this.#local) / this.#rate;
    const near = instantOf(Math.ceil(exact - 1e-6));
    return this.read(near) >= local ? near : after(near, 1);
  }

  /** By how much it is ahead. */
  errorAt(moment: Instant): number {
    return this.read(moment) - moment;
  }

  /** Sets it at an instant of true time. */
  set(moment: Instant, local: Instant): void {
    this.#true = moment;
    this.#local = local;
  }

  /** From an instant of true time on it goes so much faster than true time. */
  drift(moment: Instant, partsPerMillion: number): void {
    this.set(moment, this.read(moment));
    this.#rate = 1 + partsPerMillion / 1e6;
  }
}

/** What the clock of a process stands on. */
export interface ProcessClockOptions {
  readonly machine: MachineClock;
  /** True time, as far as this process has come. */
  readonly time: () => Instant;
  /** Lets something happen in the process at an instant of true time. */
  readonly schedule: (when: Instant, run: () => void) => () => void;
}

interface Alarm {
  readonly when: Instant;
  readonly ring: () => void;
  cancel: () => void;
}

/** The clock of one process: its alarms and listeners end with it. */
export class ProcessClock implements Clock {
  readonly #options: ProcessClockOptions;
  readonly #alarms = new Set<Alarm>();
  readonly #listeners = new Set<{ readonly listener: (by: number) => void }>();

  constructor(options: ProcessClockOptions) {
    this.#options = options;
  }

  now(): Instant {
    return this.#options.machine.read(this.#options.time());
  }

  alarm(when: Instant, ring: () => void): () => void {
    const alarm: Alarm = { when, ring, cancel: () => undefined };
    this.#alarms.add(alarm);
    this.#arm(alarm, this.#options.time());
    return () => {
      this.#alarms.delete(alarm);
      alarm.cancel();
    };
  }

  onStep(listener: (by: number) => void): () => void {
    const entry = { listener };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /**
   * The clock of the machine was changed.
   *
   * @param step by how much it was set, and the true time from which on the process knows; left out: it
   *   was not set
   */
  changed(step?: { readonly by: number; readonly noticedAt: Instant }): void {
    const soonest = step?.noticedAt ?? this.#options.time();
    for (const alarm of this.#alarms) {
      alarm.cancel();
      this.#arm(alarm, soonest);
    }
    if (step === undefined) return;
    this.#options.schedule(step.noticedAt, () => {
      for (const { listener } of [...this.#listeners]) listener(step.by);
    });
  }

  #arm(alarm: Alarm, soonest: Instant): void {
    const due = this.#options.machine.whenItShows(alarm.when);
    alarm.cancel = this.#options.schedule(due > soonest ? due : soonest, () => {
      if (!this.#alarms.has(alarm)) return;
      if (this.now() < alarm.when) {
        this.#arm(alarm, this.#options.time());
        return;
      }
      this.#alarms.delete(alarm);
      alarm.ring();
    });
  }
}
