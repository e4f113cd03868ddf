/** A simulated machine: a clock, a disk, and one process after the other. */
import { CodedError } from "../errors.ts";
import { after, seconds, type Instant } from "../instant.ts";
import { Disk, type CrashPoint, type OpenDatabase } from "./disk.ts";
import { rest, type Kernel } from "./kernel/kernel.ts";
import { MachineClock, ProcessClock } from "./machine-clock.ts";
import { ProcessNetwork, type Message, type Wire } from "./network.ts";
import { Process } from "./process.ts";
import type { Resource } from "../resource.ts";
import type { Operator, Scenario } from "./scenario.ts";
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
  /** By code, the true time at which it was logged last. */
  readonly logged = new Map<string, Instant>();
  readonly #options: NodeOptions;
  readonly #machineClock: MachineClock;
  #process: Process | undefined;
  #clock: ProcessClock | undefined;
  #boots = 0;
  #isSetUp = false;
  /** Milliseconds by which its clock is ahead when it is as right as it gets. */
  #skew = 0;
  #down = 0;
  /** True time up to which it can do nothing, for it is at something else or stands still. */
  #busyUntil: Instant;
  /** When something was wrong last that it may not be blamed for. */
  #troubledAt: Instant | undefined;

  constructor(options: NodeOptions) {
    this.name = options.name;
    this.#options = options;
    this.disk = new Disk(options.open);
    this.#machineClock = new MachineClock(options.kernel.now);
    this.#busyUntil = options.kernel.now;
  }

  /** True time, as far as this node has come: it is ahead while something takes long. */
  get time(): Instant {
    const { now } = this.#options.kernel;
    return this.#busyUntil > now ? this.#busyUntil : now;
  }

  get process(): Process | undefined {
    return this.#process?.isAlive ? this.#process : undefined;
  }

  get isUp(): boolean {
    return this.#process?.isAlive === true && this.#process.store !== undefined;
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
      this.#busyUntil <= this.#options.kernel.now &&
      Math.abs(this.clockError) <= clockTolerance;
    if (!isCalm) this.#trouble();
  }

  /** Whether nothing has been wrong for so long, as of the last {@link look}. */
  isCalm(duration = 0): boolean {
    const since = this.#troubledAt;
    return since === undefined || this.time - since > duration;
  }

  /** Starts a process; what it leaves to be done is done when this resolves. */
  async start(): Promise<void> {
    const { scenario, seed, kernel, trace, tally } = this.#options;
    const boot = this.#boots++;
    this.revision++;
    trace.add(this.#line("start", { boot }));
    const clock = new ProcessClock({
      machine: this.#machineClock,
      time: () => this.time,
      schedule: (when, run) =>
        this.#at(when, () => {
          if (process.isAlive) run();
        }),
    });
    const process: Process = new Process({
      node: this.name,
      boot,
      seed,
      scenario,
      disk: this.disk,
      files: this.files,
      clock,
      trace,
      line: (what, fields) => this.#line(what, fields),
      wait: (duration) => {
        this.#busyUntil = after(this.time, duration);
        this.#trouble();
      },
      crash: () => {
        process.kill();
      },
      fails: () => {
        this.#trouble();
      },
      isClockRight: () => Math.abs(this.clockError) <= scenario.clockTolerance,
      onWritten: (resources) => {
        this.revision++;
        this.written.push(...resources);
        if (this.#isSetUp) this.#options.onCommit(this);
      },
      onLogged: (code) => {
        this.logged.set(code, this.time);
      },
      count: (what) => {
        tally.count(what);
      },
      noted: (name) => {
        tally.countNote(name, this.time);
      },
      network: this.#network(boot, (): boolean => process.isAlive),
    });
    this.#process = process;
    this.#clock = clock;
    kernel.at(kernel.now, () => undefined); // whoever starts is looked at
    process.start(!this.#isSetUp);
    await this.#settle();
    this.#isSetUp ||= this.isUp;
  }

  /** Goes down, at once or in its next commit, and comes up again after a time. */
  async crash(point: CrashPoint | "idle", down: number): Promise<void> {
    this.#down = down;
    if (point !== "idle") {
      this.disk.crashPoint = point;
      return;
    }
    this.process?.kill();
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
    this.#busyUntil = after(this.time, duration);
  }

  /** Sets the clock; processes look at it once a minute. */
  async stepClock(local: Instant, noticed: number): Promise<void> {
    const by = local - this.now();
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

  /** Sets the clock as somebody would who keeps the time. */
  async setClockRight(noticed: number): Promise<void> {
    this.#machineClock.drift(this.time, 0);
    await this.stepClock(after(this.time, this.#skew), noticed);
  }

  /** A message has come; it is lost when nobody runs. */
  async receive(message: Message): Promise<void> {
    const { kernel } = this.#options;
    if (this.#busyUntil > kernel.now) kernel.at(this.#busyUntil, () => this.receive(message));
    else await this.disturb(({ network }) => network.receive(message));
  }

  /** From now on the clock goes faster or slower. */
  driftClock(partsPerMillion: number): void {
    this.#machineClock.drift(this.time, partsPerMillion);
    this.#clock?.changed();
  }

  /** Does something to the process that runs. */
  async disturb(work: (process: Process) => void): Promise<void> {
    if (this.process !== undefined) work(this.process);
    await this.#settle();
  }

  /** Lets an operator do something, unless the node is down. */
  async operate(run: (operator: Operator) => Promise<void>): Promise<void> {
    const { kernel } = this.#options;
    if (this.#busyUntil > kernel.now) {
      kernel.at(this.#busyUntil, () => this.operate(run));
      return;
    }
    await this.disturb((process) => {
      process.operate(async (operator) => {
        try {
          await run(operator);
        } catch (error) {
          if (!(error instanceof CodedError)) throw error;
          this.#options.trace.add(this.#line("refused", { code: error.code }));
        }
      });
    });
  }

  /** Everything that was wrong ends now. */
  async heal(): Promise<void> {
    this.disk.heal();
    this.#busyUntil = this.#options.kernel.now;
    this.process?.watches?.stopLagging();
    this.#skew = 0;
    await this.setClockRight(0);
    if (this.#process === undefined) await this.start();
  }

  /** The simulation is over. */
  async stop(): Promise<void> {
    this.disk.heal();
    this.process?.stop();
    await this.#process?.settled().catch(() => undefined); // what went wrong was told before
    this.disk.close();
  }

  #network(boot: number, isAlive: () => boolean): ProcessNetwork {
    const { wire } = this.#options;
    return new ProcessNetwork({
      node: this.name,
      boot,
      time: () => this.time,
      send: (to, message) => {
        if (isAlive()) wire.send(to, message, this.time);
      },
      schedule: (when, run) =>
        this.#at(when, () => {
          if (isAlive()) run();
        }),
    });
  }

  /** Lets something happen on this node, and waits for what it sets off. */
  #at(when: Instant, run: () => void): () => void {
    const { kernel } = this.#options;
    let cancel = kernel.at(when, async () => {
      if (this.#busyUntil > kernel.now) {
        cancel = this.#at(this.#busyUntil, run);
        return;
      }
      run();
      await this.#settle();
    });
    return () => {
      cancel();
    };
  }

  async #settle(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    try {
      await process.settled();
      await rest();
    } catch (error) {
      if (!(error instanceof CodedError) || process.hasStarted) throw error;
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
