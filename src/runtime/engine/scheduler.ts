/**
 * Decides what runs next. A unit never runs twice at once, a controller no more of its units than it
 * asked for, and controllers take turns.
 */
import type { Activity } from "./activity.ts";
import { nameOf, unitOf, type Lane, type Reason, type Unit } from "./lane.ts";
import { turn } from "./turn.ts";

/** Picks one of the units that are ready, by place. */
export type Choose = (ready: readonly string[]) => number;

/** What a scheduler needs. */
export interface SchedulerOptions {
  readonly activity: Activity;
  /** Runs units of one lane; never rejects. */
  readonly execute: (units: readonly Unit[]) => Promise<void>;
  /** Whether the store commits the writes of many units at once, or none of them. */
  readonly isAtomic: boolean;
  /** When given, units run one at a time and this says which is next. */
  readonly choose?: Choose | undefined;
}

/** So many runs may start before everything else has a turn. */
const RUNS_PER_TURN = 256;
/** So many units of a controller run together, where that is the same as one after the other. */
const BATCH_MAX = 128;

/** The queues of an engine. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #lanes: Lane[] = [];
  #isOpen = false;
  #isPumping = false;
  #running = 0;
  #started = 0;
  /** The lane whose turn it is. */
  #place = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  get lanes(): readonly Lane[] {
    return this.#lanes;
  }

  /** From now on units run. */
  start(): void {
    this.#isOpen = true;
    this.#pumpSoon();
  }

  /** From now on units of the lane are among those that run. */
  add(lane: Lane): void {
    this.#lanes.push(lane);
    lane.isOpen = true;
    this.#pumpSoon();
  }

  /** From now on none is started. */
  stop(): void {
    this.#isOpen = false;
  }

  /** Runs the unit soon; once more when it is running. */
  enqueue(unit: Unit, reason: Reason): void {
    unit.isStale = true;
    unit.reason = reason;
    if (unit.isReady || unit.isRunning) return;
    unit.isReady = true;
    unit.lane.tally.wakeups++;
    this.#options.activity.begin();
    unit.lane.ready.push(unit);
    this.#pumpSoon();
  }

  /** Runs the unit soon, unless it is to be tried again later: then that reads what is new anyway. */
  hint(unit: Unit, reason: Reason): void {
    if (unit.isRunning) unit.isHinted = true;
    else if (unit.retryAt === null) this.enqueue(unit, reason);
  }

  /** Runs all units of a controller soon; what asks for that many times at once gets it once. */
  enqueueAll(lane: Lane, reason: Reason): void {
    if (lane.each === undefined) this.enqueue(unitOf(lane, ""), reason);
    else {
      lane.lastReason = reason;
      if (lane.isSwept) return;
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
      const units = this.#options.choose ? this.#chosen(this.#options.choose) : this.#next();
      if (units.length === 0) break;
      this.#started += units.length;
      void this.#run(units);
    }
    this.#isPumping = false;
  }

  #sweep(): void {
    for (const lane of this.#lanes) {
      if (!lane.isSwept) continue;
      lane.isSwept = false;
      for (const unit of lane.units.values()) this.enqueue(unit, lane.lastReason);
      this.#options.activity.end();
    }
  }

  #next(): readonly Unit[] {
    const lanes = this.#lanes;
    for (const _ of lanes) {
      const lane = lanes[this.#place % lanes.length];
      this.#place = (this.#place + 1) % lanes.length;
      if (lane && lane.running < lane.controller.concurrency && lane.ready.size > 0)
        return this.#batchOf(lane);
    }
    return [];
  }

  /** Who returns at once and has independent items cannot tell several at once from one by one. */
  #batchOf({ ready, isIndependent, isSynchronous }: Lane): readonly Unit[] {
    const isBatch = isIndependent && isSynchronous && this.#options.isAtomic;
    const size = isBatch ? Math.min(ready.size, BATCH_MAX) : 1;
    const units: Unit[] = [];
    for (let unit = ready.shift(); unit !== undefined; unit = ready.shift()) {
      units.push(unit);
      if (units.length === size) break;
    }
    return units;
  }

  #chosen(choose: Choose): readonly Unit[] {
    if (this.#running > 0) return [];
    const ready = this.#lanes.flatMap((lane) => [...lane.ready]);
    if (ready.length === 0) return [];
    const unit = ready[choose(ready.map(nameOf))];
    if (unit === undefined) throw new TypeError("choose has to pick one of what is ready");
    unit.lane.ready.take([...unit.lane.ready].indexOf(unit));
    return [unit];
  }

  async #run(units: readonly Unit[]): Promise<void> {
    const [first] = units;
    if (first === undefined) return;
    const { lane } = first;
    for (const unit of units) {
      unit.isReady = false;
      unit.isRunning = true;
      unit.isStale = unit.isHinted = false;
    }
    lane.running++;
    lane.lastReason = first.reason;
    this.#running++;
    await this.#options.execute(units);
    lane.running--;
    this.#running--;
    for (const unit of units) {
      unit.isRunning = false;
      if (hasChanged(unit)) this.enqueue(unit, unit.reason);
      this.#options.activity.end();
    }
    this.#pumpSoon();
  }
}

/** Others set that while the unit runs. */
const hasChanged = ({ isStale, isHinted, retryAt }: Unit): boolean =>
  isStale || (isHinted && retryAt === null);
