/** Runs controllers: what changes is brought to those whom it concerns, and their outputs are kept. */
import type { Clock } from "../clock.ts";
import type { Controller } from "../controller.ts";
import { after, earliest } from "../instant.ts";
import { silentLogger, type Logger } from "../logger.ts";
import type { Random } from "../random.ts";
import type { Store } from "../store/state.ts";
import { Activity } from "./activity.ts";
import { retryDelay } from "./backoff.ts";
import { Committer, isRace } from "./committer.ts";
import { Events } from "./events.ts";
import { failureOf, untilCurrent } from "./failure.ts";
import { edgesOf, type Edge } from "./graph.ts";
import { KindWatch } from "./kind-watch.ts";
import { laneOf, unitOf, type Lane, type Unit } from "./lane.ts";
import { LaneListener } from "./lane-listener.ts";
import { runUnit, type Outcome, type RunOptions } from "./reconcile.ts";
import { checkRegistration } from "./registration.ts";
import { Runner } from "./runner.ts";
import { Scheduler, type Choose } from "./scheduler.ts";
import { ControllerStatus } from "./controller-status.ts";
import { ENGINE, StatusBoard } from "./status.ts";
import { WakeUps } from "./wake-ups.ts";

/** What an engine is made of. */
export interface EngineOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Default: nothing is logged. */
  readonly log?: Logger;
  readonly controllers: readonly Controller[];
  /** When given, one unit runs at a time, and this picks which is next. */
  readonly choose?: Choose;
}

/** A running set of controllers. */
export interface Engine extends AsyncDisposable {
  /**
   * Resolves when everything is watched and every controller is queued.
   *
   * @throws {TypeError} when it was started or stopped before
   */
  start(): Promise<void>;
  /** Resolves while nothing is to be done now; wake-ups and retries that are due later do not count. */
  settled(): Promise<void>;
  /** What depends on what. */
  graph(): readonly Edge[];
  /**
   * Starts nothing any more, drops the work of reconciles that are running and resolves when the
   * commits in flight are done and every `run` has returned. Can be called again.
   */
  stop(): Promise<void>;
}

/**
 * Registers controllers; the list is literal, and checked as a whole.
 *
 * @throws {RegistrationError} naming the controllers that do not go together
 */
export function createEngine(options: EngineOptions): Engine {
  checkRegistration(options.controllers, { [ENGINE]: ControllerStatus.type });
  return new ControllerEngine(options);
}

class ControllerEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #log: Logger;
  readonly #activity = new Activity();
  readonly #abort = new AbortController();
  readonly #committer: Committer;
  readonly #board: StatusBoard;
  readonly #scheduler: Scheduler;
  readonly #wakeUps: WakeUps<Unit>;
  readonly #lanes: readonly Lane[];
  readonly #runners: readonly Runner[];
  #watches: readonly KindWatch[] = [];
  #living: Promise<unknown> = Promise.resolve();
  #isStarted = false;
  #forgetSteps: () => void = () => undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    const { store, clock, controllers, log = silentLogger } = options;
    this.#options = options;
    this.#log = log;
    this.#committer = new Committer(store.core);
    this.#board = new StatusBoard({ store, log, activity: this.#activity });
    const lanes = Map.groupBy(
      controllers.map((controller) => laneOf(controller, log)),
      ({ controller }) => (controller.run === undefined ? "reconcile" : "run"),
    );
    this.#lanes = lanes.get("reconcile") ?? [];
    this.#runners = (lanes.get("run") ?? []).map((lane) => this.#runnerOf(lane));
    this.#scheduler = new Scheduler({
      lanes: this.#lanes,
      activity: this.#activity,
      execute: (unit) => this.#execute(unit),
      choose: options.choose,
    });
    this.#wakeUps = new WakeUps(clock, (unit) => this.#wake(unit));
  }

  async start(): Promise<void> {
    if (this.#isStarted || this.#stopping) throw new TypeError("an engine is started once");
    this.#isStarted = true;
    const { store, clock, random } = this.#options;
    this.#forgetSteps = clock.onStep(() => this.#startOver());
    const events = new Events([
      ...this.#lanes.map((lane) => new LaneListener(lane, this.#scheduler)),
      ...this.#runners,
    ]);
    await store.core.snapshot(events.kinds, () => undefined); // a store that cannot be read at all
    const begun: Promise<undefined>[] = [];
    this.#watches = events.kinds.map((kind) => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      this.#abort.signal.addEventListener("abort", () => resolve(undefined), { once: true });
      begun.push(promise);
      return new KindWatch({
        core: store.core,
        kind,
        clock,
        random,
        log: this.#log,
        activity: this.#activity,
        onChange: (event, isBeginning) => events.tell(kind, event, isBeginning),
        onBegun: (isFirst) => {
          if (!isFirst) events.tellOfGap(kind);
          resolve(undefined);
        },
      });
    });
    for (const watch of this.#watches) watch.open();
    await Promise.all(begun);
    if (this.#abort.signal.aborted) return;
    for (const lane of this.#lanes)
      if (lane.each === undefined) this.#scheduler.enqueue(unitOf(lane, ""));
      else this.#board.mark(lane);
    this.#scheduler.start();
    this.#log.info({ controllers: this.#options.controllers.length }, "engine started");
    this.#living = Promise.all(this.#runners.map((runner) => runner.live()));
  }

  async settled(): Promise<void> {
    await this.#activity.settled();
  }

  graph(): readonly Edge[] {
    return edgesOf(this.#options.controllers);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    this.#scheduler.stop();
    this.#abort.abort();
    this.#wakeUps.clear();
    this.#forgetSteps();
    for (const watch of this.#watches) watch.close();
    await Promise.all([this.#living, this.#committer.settled(), this.#board.close()]);
    this.#activity.close();
    if (this.#isStarted) this.#log.info({}, "engine stopped");
  }

  #surroundings({ log }: Lane): RunOptions {
    const { store, clock, random } = this.#options;
    const { signal } = this.#abort;
    return { core: store.core, committer: this.#committer, clock, random, log, signal };
  }

  #runnerOf(lane: Lane): Runner {
    const options = { activity: this.#activity, board: this.#board };
    return new Runner(lane, { ...this.#surroundings(lane), ...options });
  }

  async #execute(unit: Unit): Promise<void> {
    const { signal } = this.#abort;
    const surroundings = this.#surroundings(unit.lane);
    try {
      const outcome = await untilCurrent(() => runUnit(unit, surroundings), signal);
      if (outcome !== undefined && !signal.aborted) this.#succeed(unit, outcome);
    } catch (error) {
      if (!signal.aborted) this.#fail(unit, error);
    }
  }

  #succeed(unit: Unit, { wakeAt, waitingFor, isOver }: Outcome): void {
    const { lane, item } = unit;
    if (unit.attempt > 0) lane.log.info({ item, tries: unit.attempt }, "recovered");
    unit.attempt = 0;
    unit.retryAt = null;
    unit.failure = null;
    const isNews = lane.failing.delete(unit) || unit.waitingFor !== waitingFor;
    unit.waitingFor = waitingFor;
    if (waitingFor === "" || isOver) lane.waiting.delete(unit);
    else lane.waiting.add(unit);
    if (isNews || lane.each === undefined) this.#board.mark(lane);
    this.#setWakeUp(unit, wakeAt);
    if (isOver && !unit.isStale && !unit.isHinted) lane.units.delete(unit.item);
  }

  /** A wake-up in the past runs at once; one after the other has to wait as if it had failed. */
  #setWakeUp(unit: Unit, wakeAt: Outcome["wakeAt"]): void {
    const { clock, random } = this.#options;
    const now = clock.now();
    const isPast = wakeAt !== null && wakeAt <= now;
    const spins = isPast && unit.isOverdue;
    unit.isOverdue = isPast;
    unit.wakeAt = spins ? after(now, retryDelay(1, random)) : wakeAt;
    if (isPast && !spins) this.#wake(unit);
    else this.#wakeUps.set(unit, unit.wakeAt);
  }

  #wake(unit: Unit): void {
    unit.wakeAt = null;
    unit.retryAt = null;
    this.#scheduler.enqueue(unit);
  }

  /** The clock was set: each instant that something waits for may be years away, so all run now. */
  #startOver(): void {
    this.#log.info({}, "the clock was set");
    this.#wakeUps.clear();
    for (const lane of this.#lanes) for (const unit of lane.units.values()) this.#wake(unit);
    for (const pausing of [...this.#watches, ...this.#runners]) pausing.endPause();
  }

  #fail(unit: Unit, error: unknown): void {
    const { clock, random } = this.#options;
    const { lane, item } = unit;
    unit.attempt++;
    unit.failure = failureOf(error);
    unit.waitingFor = "";
    if (isRace(error)) unit.isStale = false; // lost once too often: no at once any more
    unit.retryAt = after(clock.now(), retryDelay(unit.attempt, random));
    lane.waiting.delete(unit);
    lane.failing.add(unit);
    this.#board.mark(lane);
    this.#wakeUps.set(unit, earliest([unit.wakeAt, unit.retryAt]));
    lane.log.warn({ item, attempt: unit.attempt, ...unit.failure }, "reconcile failed");
  }
}
