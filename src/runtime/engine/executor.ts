/** Runs units and sees to it that they run again when it is time. */
import { retryDelay } from "../backoff.ts";
import { RetryAtError } from "../controller-errors.ts";
import { after, earliest, type Instant } from "../instant.ts";
import { isRace } from "./committer.ts";
import { failureOf, untilCurrent } from "./failure.ts";
import type { Reason, Unit } from "./lane.ts";
import { runUnit, runUnits, type Outcome, type RunOptions } from "./reconcile.ts";
import type { Scheduler } from "./scheduler.ts";
import type { StatusBoard } from "./status.ts";
import { WakeUps } from "./wake-ups.ts";

/** What an executor needs. */
export interface ExecutorOptions {
  readonly surroundings: Omit<RunOptions, "log">;
  readonly board: StatusBoard;
  /** Where units are queued again. */
  readonly scheduler: () => Scheduler;
}

/** Executes the units of an engine. */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #wakeUps: WakeUps<Unit>;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#wakeUps = new WakeUps(options.surroundings.clock, (unit) => this.#ring(unit));
  }

  /** Runs units of one controller; never rejects. */
  async execute(units: readonly Unit[]): Promise<void> {
    const [first] = units;
    if (first === undefined) return;
    const { surroundings } = this.#options;
    const { lane } = first;
    const { clock, signal } = surroundings;
    const options: RunOptions = { ...surroundings, log: lane.log };
    const begun = clock.now();
    try {
      if (units.length === 1) await this.#executeOne(first, options);
      else {
        const endings = await runUnits(units, options);
        if (signal.aborted) return;
        const others: Unit[] = [];
        for (const unit of units) {
          const ending = endings.get(unit);
          if (ending === undefined) others.push(unit);
          else if ("error" in ending) this.#fail(unit, ending.error);
          else this.#succeed(unit, ending);
        }
        await this.#executeSome(others, options);
      }
    } catch (error) {
      // The store cannot be read: that concerns all of them.
      if (!signal.aborted) for (const unit of units) this.#fail(unit, error);
    }
    lane.tally.busyMs += clock.now() - begun;
  }

  /** The clock was set: each instant that something waits for may be years away, so all run now. */
  startOver(): void {
    this.#wakeUps.clear();
    for (const { units } of this.#options.scheduler().lanes)
      for (const unit of units.values()) this.#wake(unit, "wake-up");
  }

  /** From now on nothing is woken. */
  clear(): void {
    this.#wakeUps.clear();
  }

  /** Those that cannot run with others; so many at once as the controller asked for. */
  async #executeSome(units: readonly Unit[], options: RunOptions): Promise<void> {
    const waiting = units.values();
    const work = async () => {
      for (const unit of waiting)
        if (!options.signal.aborted) await this.#executeOne(unit, options);
    };
    const { concurrency = 1 } = units[0]?.lane.controller ?? {};
    await Promise.all(Array.from({ length: Math.min(concurrency, units.length) }, work));
  }

  async #executeOne(unit: Unit, options: RunOptions): Promise<void> {
    const { signal } = options;
    try {
      const outcome = await untilCurrent(() => runUnit(unit, options), signal);
      if (outcome !== undefined && !signal.aborted) this.#succeed(unit, outcome);
    } catch (error) {
      if (!signal.aborted) this.#fail(unit, error);
    }
  }

  #succeed(unit: Unit, { wakeAt, waitingFor, isOver }: Outcome): void {
    const { lane, item } = unit;
    lane.tally.processed++;
    if (unit.attempt > 0) lane.log.info({ item, tries: unit.attempt }, "recovered");
    unit.attempt = 0;
    unit.retryAt = null;
    unit.failure = null;
    const isNews = lane.failing.delete(unit) || unit.waitingFor !== waitingFor;
    unit.waitingFor = waitingFor;
    if (waitingFor === "" || isOver) lane.waiting.delete(unit);
    else lane.waiting.add(unit);
    if (isNews || lane.each === undefined) this.#options.board.mark(lane);
    this.#setWakeUp(unit, wakeAt);
    if (isOver && !unit.isStale && !unit.isHinted) lane.units.delete(unit.item);
  }

  /** A wake-up in the past runs at once; one after the other has to wait as if it had failed. */
  #setWakeUp(unit: Unit, wakeAt: Instant | null): void {
    if (wakeAt === null && unit.wakeAt === null) {
      unit.isOverdue = false;
      this.#wakeUps.set(unit, null);
      return;
    }
    const { clock, random } = this.#options.surroundings;
    const now = clock.now();
    const isPast = wakeAt !== null && wakeAt <= now;
    const spins = isPast && unit.isOverdue;
    unit.isOverdue = isPast;
    unit.wakeAt = spins ? after(now, retryDelay(1, random)) : wakeAt;
    if (wakeAt !== null) unit.lane.tally.requeues++;
    if (isPast && !spins) this.#wake(unit, "wake-up");
    else this.#wakeUps.set(unit, unit.wakeAt);
  }

  #fail(unit: Unit, error: unknown): void {
    const { surroundings, board } = this.#options;
    const { clock, random } = surroundings;
    const { lane, item } = unit;
    unit.attempt++;
    lane.tally.crashes++;
    lane.tally.requeues++;
    unit.failure = failureOf(error);
    unit.waitingFor = "";
    if (isRace(error)) unit.isStale = false; // lost once too often: no at once any more
    const now = clock.now();
    unit.retryAt = retryAtOf(error, now) ?? after(now, retryDelay(unit.attempt, random));
    lane.waiting.delete(unit);
    lane.failing.add(unit);
    board.mark(lane);
    this.#wakeUps.set(unit, earliest([unit.wakeAt, unit.retryAt]));
    lane.log.warn({ item, attempt: unit.attempt, ...unit.failure }, "reconcile failed");
  }

  #ring(unit: Unit): void {
    this.#wake(unit, unit.attempt > 0 ? "retry" : "wake-up");
  }

  #wake(unit: Unit, reason: Reason): void {
    unit.wakeAt = null;
    unit.retryAt = null;
    this.#options.scheduler().enqueue(unit, reason);
  }
}

/** When the failed one itself wants to be tried again. */
const retryAtOf = (error: unknown, now: Instant): Instant | undefined =>
  error instanceof RetryAtError && error.retryAt > now ? error.retryAt : undefined;
