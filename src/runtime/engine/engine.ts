/** Runs controllers: what changes is brought to those whom it concerns, and their outputs are kept. */
import type { Clock } from "../clock.ts";
import type { Controller } from "../controller.ts";
import { silentLogger, type Logger } from "../logger.ts";
import type { Random } from "../random.ts";
import type { Store } from "../store/state.ts";
import { controllerAccess } from "./access.ts";
import { Activity } from "./activity.ts";
import { Committer } from "./committer.ts";
import { Executor } from "./executor.ts";
import { edgesOf, type Edge } from "./graph.ts";
import { liveHook, shutDown } from "./hook.ts";
import { laneOf, mayHoldInVain, unitOf, type Lane } from "./lane.ts";
import { LaneListener } from "./lane-listener.ts";
import type { RunOptions } from "./reconcile.ts";
import { checkRegistration } from "./registration.ts";
import { Runner } from "./runner.ts";
import { Scheduler, type Choose } from "./scheduler.ts";
import { ControllerStatus } from "./controller-status.ts";
import { ENGINE, StatusBoard } from "./status.ts";
import { metricsOf, type Metrics } from "./tally.ts";
import { Watches } from "./watches.ts";

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
  /**
   * Adds controllers, before or after the start: all of them or, when it throws, none. Resolves when
   * what they read is watched and they are queued.
   *
   * @throws {RegistrationError} naming the controllers that do not go together
   * @throws {TypeError} when the engine was stopped
   */
  register(...controllers: readonly Controller[]): Promise<void>;
  /** Resolves while nothing is to be done now; wake-ups and retries that are due later do not count. */
  settled(): Promise<void>;
  /** What depends on what. */
  graph(): readonly Edge[];
  /** What was counted since the start. */
  metrics(): Metrics;
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
  checkRegistration(options.controllers, reserved);
  return new ControllerEngine(options);
}

/** What the engine itself writes. */
const reserved = { [ENGINE]: ControllerStatus.type };

class ControllerEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #log: Logger;
  readonly #activity = new Activity();
  readonly #abort = new AbortController();
  readonly #committer: Committer;
  readonly #board: StatusBoard;
  readonly #scheduler: Scheduler;
  readonly #executor: Executor;
  readonly #watches: Watches;
  readonly #lanes: Lane[] = [];
  readonly #runners: Runner[] = [];
  readonly #living = new Set<Promise<void>>();
  #state: "new" | "started" | "stopped" = "new";
  #forgetSteps: () => void = () => undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    const { store, clock, random, controllers, choose, log = silentLogger } = options;
    const activity = this.#activity;
    this.#options = options;
    this.#log = log;
    this.#committer = new Committer(store.core);
    this.#board = new StatusBoard({ store, clock, random, log, activity });
    this.#executor = new Executor({
      surroundings: this.#surroundings(),
      board: this.#board,
      scheduler: () => this.#scheduler,
    });
    this.#scheduler = new Scheduler({
      activity,
      execute: (units) => this.#executor.execute(units),
      isAtomic: store.core.atomic,
      choose,
    });
    this.#watches = new Watches({ core: store.core, clock, random, log, activity });
    for (const controller of controllers) this.#lanes.push(laneOf(controller, log));
  }

  async start(): Promise<void> {
    if (this.#state !== "new") throw new TypeError("an engine is started once");
    this.#state = "started";
    const lanes = [...this.#lanes]; // those that are registered from now on are opened by that
    const { store, clock } = this.#options;
    this.#forgetSteps = clock.onStep(() => this.#startOver());
    const kinds = lanes.flatMap((lane) => lane.kinds);
    await store.core.snapshot(kinds, () => undefined); // a store that cannot be read at all
    await this.#open(lanes);
    if (this.#abort.signal.aborted) return;
    this.#scheduler.start();
    this.#log.info({ controllers: lanes.length }, "engine started");
  }

  async register(...controllers: readonly Controller[]): Promise<void> {
    if (this.#state === "stopped") throw new TypeError("the engine was stopped");
    checkRegistration(
      [...this.#lanes.map(({ controller }) => controller), ...controllers],
      reserved,
    );
    const lanes = controllers.map((controller) => laneOf(controller, this.#log));
    this.#lanes.push(...lanes);
    if (this.#state === "started") await this.#open(lanes);
  }

  async settled(): Promise<void> {
    await this.#activity.settled();
  }

  graph(): readonly Edge[] {
    return edgesOf(this.#lanes);
  }

  metrics(): Metrics {
    return metricsOf(this.#lanes);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    const wasStarted = this.#state === "started";
    this.#state = "stopped";
    this.#scheduler.stop();
    this.#abort.abort();
    this.#executor.clear();
    this.#forgetSteps();
    this.#watches.close();
    await Promise.all([...this.#living, this.#committer.settled(), this.#board.close()]);
    if (wasStarted) for (const lane of this.#lanes) await shutDown(lane);
    this.#activity.close();
    if (wasStarted) this.#log.info({}, "engine stopped");
  }

  /** Lets controllers run once everything that is there has been told to them. */
  async #open(lanes: readonly Lane[]): Promise<void> {
    const runners = new Map<Lane, Runner>();
    for (const lane of lanes)
      if (lane.controller.run !== undefined) runners.set(lane, this.#runnerOf(lane));
    const listenerOf = (lane: Lane) => runners.get(lane) ?? new LaneListener(lane, this.#scheduler);
    this.#activity.begin();
    await this.#watches.add(lanes.map(listenerOf));
    this.#activity.end();
    if (this.#abort.signal.aborted) return;
    for (const lane of lanes) {
      const runner = runners.get(lane);
      if (runner !== undefined) {
        this.#runners.push(runner);
        this.#keep(runner.live());
        continue;
      }
      this.#scheduler.add(lane);
      if (lane.each === undefined || mayHoldInVain(lane))
        this.#scheduler.enqueue(unitOf(lane, ""), "start");
      if (lane.each !== undefined) this.#board.mark(lane);
      if (lane.controller.runHook !== undefined) this.#keep(this.#hook(lane));
    }
  }

  #keep(living: Promise<void>): void {
    this.#living.add(living);
    void living.then(() => this.#living.delete(living));
  }

  #surroundings(): Omit<RunOptions, "log"> {
    const { store, clock, random } = this.#options;
    const { signal } = this.#abort;
    return { core: store.core, committer: this.#committer, clock, random, signal };
  }

  #hook(lane: Lane): Promise<void> {
    const { store, clock, random } = this.#options;
    const { signal } = this.#abort;
    const surroundings = { clock, random, log: lane.log, signal };
    return liveHook(lane, surroundings, (over) => ({
      ...controllerAccess({ store, lane, signal: over }),
      ...surroundings,
    }));
  }

  #runnerOf(lane: Lane): Runner {
    return new Runner(lane, {
      ...this.#surroundings(),
      log: lane.log,
      store: this.#options.store,
      activity: this.#activity,
      board: this.#board,
      changeInputs: (listener, change) => this.#watches.change(listener, change),
    });
  }

  /** The clock was set. */
  #startOver(): void {
    this.#log.info({}, "the clock was set");
    this.#executor.startOver();
    this.#watches.endPauses();
    this.#board.endPause();
    for (const runner of this.#runners) runner.endPause();
  }
}
