/** A simulated machine: a clock, a disk, and one process after the other. */
import { CodedError } from "../errors.ts";
import { after, seconds, type Instant } from "../instant.ts";
import { Busy } from "./busy.ts";
import { Disk, type CrashPoint, type OpenDatabase } from "./disk.ts";
import { rest, type Kernel } from "./kernel/kernel.ts";
import { streamOf } from "./kernel/streams.ts";
import { MachineClock, ProcessClock } from "./machine-clock.ts";
import { ProcessNetwork, type Message, type Wire } from "./network.ts";
import { Process } from "./process.ts";
import type { Resource } from "../resource.ts";
import type { Note, Operator, Scenario } from "./scenario.ts";
import type { Tally } from "./tally.ts";
import type { Trace, TraceLine } from "./trace.ts";

/** Until a process that could not start is started again. */
const START_AGAIN_MS = seconds(30);

/** What a node is a part of. */
export interface NodeOptions {
  readonly name: string;
  readonly seed: number;
  readonly scenario: Scenario;
  readonly kernel: Kernel;
  readonly trace: Trace;
  readonly tally: Tally;
  readonly open: OpenDatabase;
  readonly wire: Wire;
  /** Milliseconds of real time in which a process has to come to rest. */
  readonly patience: number;
  /** A commit went well, and whoever made it knows. */
  readonly onCommit: (node: SimulatedNode) => void;
}

/** A node. What is done to it takes effect before the promise of that resolves. */
export class SimulatedNode {
  readonly name: string;
  readonly disk: Disk;
  readonly files = new Map<string, string>();
  /** Grows with each process and each commit. */
  revision = 0;
  /** What was written since somebody took it from here. */
  written: Resource[] = [];
  /** What was noted since somebody took it from here. */
  noted: Note[] = [];
  /** How many reconciles its processes have begun. */
  runs = 0;
  /** By code, the true time at which it was logged last. */
  readonly logged = new Map<string, Instant>();
  readonly #options: NodeOptions;
  readonly #machineClock: MachineClock;
  readonly #busy: Busy;
  #process: Process | undefined;
  #clock: ProcessClock | undefined;
  #boots = 0;
  #isSetUp = false;
  #checkedRevision = 0;
  #startProblem: string | undefined;
  /** Milliseconds by which its clock is ahead when it is as right as it gets. */
  #skew = 0;
  #down = 0;
  /** When something was wrong last that it may not be blamed for. */
  #troubledAt: Instant | undefined;

  constructor(options: NodeOptions) {
    this.name = options.name;
    this.#options = options;
    this.disk = new Disk(options.open);
    this.#machineClock = new MachineClock(options.kernel.now);
    this.#busy = new Busy(options.kernel);
  }

  /** True time, as far as this node has come: it is ahead while something takes long. */
  get time(): Instant {
    return this.#busy.time;
  }

  get process(): Process | undefined {
    return this.#process?.isAlive ? this.#process : undefined;
  }

  get isUp(): boolean {
    return this.#process?.isAlive === true && this.#process.store !== undefined;
  }

  /** Why nothing runs on it; undefined when something does. */
  get idleness(): string | undefined {
    if (this.process?.hasStarted) return undefined;
    const reason = this.process === undefined ? "it is down" : "its start is not over";
    return this.#startProblem === undefined ? reason : `it cannot start: ${this.#startProblem}`;
  }

  /** How many processes there were before the last one. */
  get boot(): number {
    return this.#boots - 1;
  }

  /** What it takes for the time. */
  now(): Instant {
    return this.#machineClock.read(this.time);
  }

  /** Milliseconds by which its clock is ahead. */
  get clockError(): number {
    return this.#machineClock.errorAt(this.time);
  }

  /** Notes whether something is wrong now that it may not be blamed for. */
  look(): void {
    const { clockTolerance } = this.#options.scenario;
    const isCalm =
      this.isUp &&
      !this.disk.isFull &&
      !this.#busy.isBusy &&
      Math.abs(this.clockError) <= clockTolerance;
    if (!isCalm) this.#trouble();
  }

  /** Whether nothing has been wrong for so long, as of the last {@link look}. */
  isCalm(duration = 0): boolean {
    const since = this.#troubledAt;
    return since === undefined || this.time - since > duration;
  }

  /** Whether for so long no message between it and another node was lost or late. */
  isReached(other: string, duration = 0): boolean {
    return this.#options.wire.isWhole(this.name, other, duration);
  }

  /** Starts a process; what it leaves to be done is done when this resolves. */
  async start(): Promise<void> {
    const { scenario, seed, kernel, trace, tally, patience } = this.#options;
    const boot = this.#boots++;
    this.revision++;
    trace.add(this.#line("start", { boot }));
    const clock = new ProcessClock({
      machine: this.#machineClock,
      time: () => this.time,
      schedule: (when, run) =>
        this.#at(when, () => {
          if (process.isAlive) process.run(run);
        }),
    });
    const process: Process = new Process({
      ...{ node: this.name, boot, seed, scenario, clock, trace, patience },
      disk: this.disk,
      files: this.files,
      line: (what, fields) => this.#line(what, fields),
      wait: (duration) => {
        this.#busy.take(duration);
        this.#trouble();
      },
      crash: () => {
        process.kill();
      },
      fails: () => {
        this.#trouble();
      },
      isClockRight: () => Math.abs(this.clockError) <= scenario.clockTolerance,
      onSetUp: () => {
        this.#isSetUp = true;
      },
      onWritten: (resources) => {
        this.#stored(resources);
      },
      onCommitted: () => {
        this.#committed();
      },
      onLogged: (code) => {
        this.logged.set(code, this.time);
      },
      count: (what) => {
        if (what === "reconciles") this.runs++;
        tally.count(what);
      },
      noted: (name, value) => {
        this.noted.push({ name, value });
        tally.countNote(name, this.time);
      },
      network: this.#network(boot, (): Process => process),
    });
    this.#process = process;
    this.#clock = clock;
    kernel.at(kernel.now, () => undefined); // whoever starts is looked at
    process.start(!this.#isSetUp);
    await this.#settle();
  }

  /**
   * Goes down, at once or in its next commit, and comes up again after a time.
   *
   * @param took called when it goes down
   */
  async crash(point: CrashPoint | "idle", down: number, took: () => void): Promise<void> {
    this.#down = down;
    if (point !== "idle") {
      this.disk.crashAt(point, took);
      return;
    }
    if (this.process === undefined) return;
    took();
    this.process.kill();
    this.#busy.end();
    await this.#settle();
  }

  /** Ends its process in order, and starts another. */
  async restart(down: number): Promise<void> {
    this.#down = down;
    this.process?.stop();
    await this.#settle();
  }

  /** Stands still, and goes on as if nothing had been. */
  pause(duration: number): void {
    this.#busy.take(duration);
  }

  /**
   * Sets the clock; processes look at it once a minute.
   *
   * @param shown what it showed before
   */
  async stepClock(local: Instant, noticed: number, shown = this.now()): Promise<void> {
    const by = local - shown;
    if (by === 0) {
      this.#clock?.changed();
      return;
    }
    this.#trouble();
    this.#machineClock.set(this.time, local);
    this.#clock?.changed({ by, noticedAt: after(this.time, noticed) });
    await this.#settle();
  }

  /** From now on the clock is ahead by so much whenever it is set. */
  async skewClock(by: number): Promise<void> {
    this.#skew = by;
    await this.setClockRight(0);
  }

  /** Sets the clock as somebody would who keeps the time; it drifts on if it does. */
  async setClockRight(noticed: number): Promise<void> {
    await this.stepClock(after(this.time, this.#skew), noticed);
  }

  /** A message has come; it is lost when nobody runs. */
  async receive(message: Message): Promise<void> {
    await this.#busy.whenFree(() => this.disturb(({ network }) => network.receive(message)));
  }

  /** From now on the clock goes faster or slower. */
  driftClock(partsPerMillion: number): void {
    this.#machineClock.drift(this.time, partsPerMillion);
    this.#clock?.changed();
  }

  /** Does something to the process that runs. */
  async disturb(work: (process: Process) => void): Promise<void> {
    const { process } = this;
    process?.run(() => work(process));
    await this.#settle();
  }

  /**
   * Lets an operator do something, unless the node is down.
   *
   * @param place of the event, from which the operator's chance is drawn
   */
  async operate(run: (operator: Operator) => Promise<void>, place: number): Promise<void> {
    const { trace, tally, seed } = this.#options;
    const random = streamOf(seed, "operation", this.name, place);
    const work = async (operator: Operator) => {
      tally.count("operations");
      try {
        await run(operator);
      } catch (error) {
        if (!(error instanceof CodedError)) throw error;
        tally.count("refused");
        trace.add(this.#line("refused", { code: error.code }));
      }
    };
    await this.#busy.whenFree(() => this.disturb((process) => process.operate(work, random)));
  }

  /** Everything that was wrong ends now. */
  async heal(): Promise<void> {
    const shown = this.now();
    this.disk.heal();
    this.#busy.end();
    this.#skew = 0;
    this.#machineClock.drift(this.time, 0);
    await this.stepClock(this.time, 0, shown);
    await this.disturb(({ watches }) => watches?.stopLagging());
    if (this.#process === undefined) await this.start();
  }

  /** The simulation is over. */
  async stop(): Promise<void> {
    this.disk.heal();
    this.process?.stop();
    await this.#process?.settled().catch(() => undefined); // what went wrong was told before
    this.disk.close();
  }

  #network(boot: number, process: () => Process): ProcessNetwork {
    const { wire } = this.#options;
    return new ProcessNetwork({
      node: this.name,
      boot,
      time: () => this.time,
      send: (to, message) => {
        if (process().isAlive) wire.send(to, message, this.time);
      },
      schedule: (when, run) =>
        this.#at(when, () => {
          if (process().isAlive) process().run(run);
        }),
    });
  }

  #stored(resources: readonly Resource[]): void {
    this.revision++;
    this.written.push(...resources.filter(({ metadata }) => metadata.phase === "running"));
  }

  #committed(): void {
    if (!this.#isSetUp || this.#checkedRevision === this.revision) return;
    this.#checkedRevision = this.revision;
    this.#options.onCommit(this);
  }

  /** Lets something happen on this node, and waits for what it sets off. */
  #at(when: Instant, run: () => void): () => void {
    return this.#busy.at(when, async () => {
      run();
      await this.#settle();
    });
  }

  async #settle(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    try {
      await process.settled();
      await rest();
    } catch (error) {
      if (!(error instanceof CodedError) || process.hasStarted) throw error;
      this.#startProblem = `${error.code}: ${error.message}`;
      this.#options.trace.add(this.#line("cannot start", { code: error.code }));
      this.#down = START_AGAIN_MS;
      process.kill();
    }
    if (!process.isAlive && this.#process === process) this.#goDown();
  }

  #goDown(): void {
    const { kernel, trace, tally } = this.#options;
    this.#process = undefined;
    this.#clock = undefined;
    this.disk.close();
    this.#trouble();
    tally.count("ends");
    trace.add(this.#line("end", { down: this.#down }));
    kernel.at(after(this.time, this.#down), async () => {
      if (this.#process === undefined) await this.start();
    });
  }

  #trouble(): void {
    this.#troubledAt = this.time;
  }

  #line(what: string, fields: object): TraceLine {
    return { what, at: this.time, node: this.name, ...fields };
  }
}
