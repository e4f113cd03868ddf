/**
 * Decides what runs next. A unit never runs twice at once, a controller no more of its units than it
 * asked for, and controllers take turns.
 */
import type { Activity } from "./activity.ts";
import { nameOf, unitOf, type Lane, type Unit } from "./lane.ts";
import { turn } from "./turn.ts";

/** Picks one of the units that are ready, by place. */
export type Choose = (ready: readonly string[]) => number;

/** What a scheduler needs. */
export interface SchedulerOptions {
  readonly lanes: readonly Lane[];
  readonly activity: Activity;
  /** Runs a unit; never rejects. */
  readonly execute: (unit: Unit) => Promise<void>;
  /** When given, units run one at a time and this says which is next. */
  readonly choose?: Choose | undefined;
}

/** So many runs may start before everything else has a turn. */
const RUNS_PER_TURN = 256;

/** The queues of an engine. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  #isOpen = false;
  #isPumping = false;
  #running = 0;
  #started = 0;
  /** The lane whose turn it is. */
  #place = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** From now on units run. */
  start(): void {
    this.#isOpen = true;
    this.#pumpSoon();
  }

  /** From now on none is started. */
  stop(): void {
    this.#isOpen = false;
  }

  /** Runs the unit soon; once more when it is running. */
  enqueue(unit: Unit): void {
    unit.isStale = true;
    if (unit.isReady || unit.isRunning) return;
    unit.isReady = true;
    this.#options.activity.begin();
    unit.lane.ready.push(unit);
    this.#pumpSoon();
  }

  /** Runs the unit soon, unless it is to be tried again later: then that reads what is new anyway. */
  hint(unit: Unit): void {
    if (unit.isRunning) unit.isHinted = true;
    else if (unit.retryAt === null) this.enqueue(unit);
  }

  /** Runs all units of a controller soon; what asks for that many times at once gets it once. */
  enqueueAll(lane: Lane): void {
    if (lane.each === undefined) this.enqueue(unitOf(lane, ""));
    else if (!lane.isSwept) {
      lane.isSwept = true;
      this.#options.activity.begin();
      this.#pumpSoon();
    }
  }

  /** Not at once: events come in the middle of a commit. */
  #pumpSoon(): void {
    if (this.#isPumping || !this.#isOpen) return;
    this.#isPumping = true;
    queueMicrotask(() => this.#pump());
  }

  #pump(): void {
    this.#sweep();
    while (this.#isOpen) {
      if (this.#started >= RUNS_PER_TURN) {
        this.#started = 0;
        void turn().then(() => this.#pump());
        return;
      }
      const unit = this.#options.choose ? this.#chosen(this.#options.choose) : this.#next();
      if (unit === undefined) break;
      this.#started++;
      void this.#run(unit);
    }
    this.#isPumping = false;
  }

  #sweep(): void {
    for (const lane of this.#options.lanes) {
      if (!lane.isSwept) continue;
      lane.isSwept = false;
      for (const unit of lane.units.values()) this.enqueue(unit);
      this.#options.activity.end();
    }
  }

  #next(): Unit | undefined {
    const { lanes } = this.#options;
    for (const _ of lanes) {
      const lane = lanes[this.#place];
      this.#place = (this.#place + 1) % lanes.length;
      if (lane && lane.running < lane.controller.concurrency && lane.ready.size > 0)
        return lane.ready.shift();
    }
    return undefined;
  }

  #chosen(choose: Choose): Unit | undefined {
    if (this.#running > 0) return undefined;
    const ready = this.#options.lanes.flatMap((lane) => [...lane.ready]);
    if (ready.length === 0) return undefined;
    const unit = ready[choose(ready.map(nameOf))];
    if (unit === undefined) throw new TypeError("choose has to pick one of what is ready");
    return unit.lane.ready.take([...unit.lane.ready].indexOf(unit));
  }

  async #run(unit: Unit): Promise<void> {
    unit.isReady = false;
    unit.isRunning = true;
    unit.isStale = unit.isHinted = false;
    unit.lane.running++;
    this.#running++;
    await this.#options.execute(unit);
    unit.isRunning = false;
    unit.lane.running--;
    this.#running--;
    if (hasChanged(unit)) this.enqueue(unit);
    this.#options.activity.end();
    this.#pumpSoon();
  }
}

/** Others set that while the unit runs. */
const hasChanged = ({ isStale, isHinted, retryAt }: Unit): boolean =>
  isStale || (isHinted && retryAt === null);
