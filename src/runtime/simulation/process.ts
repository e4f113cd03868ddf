/** One process of a simulated node: the real store and the real engine, from its start to its end. */
import { createEngine, type Engine } from "../engine/index.ts";
import { turn } from "../engine/turn.ts";
import { systemClock, type Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Resource } from "../resource.ts";
import { sqliteStoreOver } from "../store/sqlite/sqlite.ts";
import type { Change } from "../store/change.ts";
import { storeOver, type Store } from "../store/state.ts";
import type { View } from "../store/store.ts";
import type { Disk } from "./disk.ts";
import { processFiles } from "./files.ts";
import { FaultyCore } from "./faulty-core.ts";
import { rest } from "./kernel/kernel.ts";
import { RealWork } from "./kernel/real-work.ts";
import { streamOf, type Stream } from "./kernel/streams.ts";
import type { ProcessNetwork } from "./network.ts";
import type { Machine, Operator, Scenario } from "./scenario.ts";
import type { Trace, TraceLine } from "./trace.ts";
import { writeFieldsOf } from "./written.ts";

/** What a process is started with. */
export interface ProcessOptions {
  readonly node: string;
  /** How many processes the node had before. */
  readonly boot: number;
  readonly seed: number;
  readonly scenario: Scenario;
  readonly disk: Disk;
  readonly files: Map<string, string>;
  readonly clock: Clock;
  readonly trace: Trace;
  /** Milliseconds of real time in which it has to come to rest. */
  readonly patience: number;
  /** A line about this process, with its time and node. */
  readonly line: (what: string, fields: object) => TraceLine;
  /** A commit takes so long. */
  readonly wait: (duration: number) => void;
  /** The machine goes down. */
  readonly crash: () => void;
  /** Something went wrong that it may not be blamed for. */
  readonly fails: () => void;
  readonly isClockRight: () => boolean;
  /** What it is set up with is there. */
  readonly onSetUp: () => void;
  /** Told of what is stored by a commit, before anybody else hears of it. */
  readonly onWritten: (resources: readonly Resource[]) => void;
  /** A commit went well, and whoever made it will know next. */
  readonly onCommitted: () => void;
  /** Told of the codes that are logged. */
  readonly onLogged: (code: string) => void;
  /** Counts what is told at the end. */
  readonly count: (what: "reconciles" | "writes") => void;
  readonly noted: (name: string, value: string) => void;
  readonly network: ProcessNetwork;
}

/** An engine that has much to do lets the event loop go round in between. */
const ROUNDS_PER_TURN = 64;
/** After so many it looks at the time. */
const ROUNDS_PER_LOOK = 16 * ROUNDS_PER_TURN;

/** A process did not come to rest in real time: this is no part of what is simulated. */
export class NeverAtRestError extends Error {}

/** A process. */
export class Process {
  readonly #options: ProcessOptions;
  readonly #realWork = new RealWork();
  readonly #end = Promise.withResolvers<undefined>();
  readonly machine: Machine;
  /** What the commit is about that runs. */
  #appending: readonly Change[] = [];
  #isAlive = true;
  #hasStarted = false;
  #store: Store | undefined;
  #contents: View | undefined;
  #core: FaultyCore | undefined;
  #engine: Engine | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ProcessOptions) {
    this.#options = options;
    const { node, boot, seed, clock, disk, files, network, trace, line } = options;
    const note = (what: string, value: string) => {
      if (!this.#isAlive) return;
      options.noted(what, value);
      trace.add(line("note", { name: what, value }));
    };
    this.machine = {
      name: node,
      clock,
      files: processFiles({ files, isFull: () => disk.isFull, isAlive: () => this.#isAlive }),
      network,
      random: streamOf(seed, "random", node, boot),
      log: this.#logger({}),
      stream: (purpose) => streamOf(seed, "purpose", node, purpose),
      shared: (purpose) => streamOf(seed, "shared", purpose),
      isClockRight: options.isClockRight,
      async takes(duration) {
        if (options.scenario.nodes.length === 1)
          throw new TypeError("a device takes time only where there are several nodes");
        await network.takes(duration);
      },
      note,
    };
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Whether its start is over; what goes wrong before then ends it. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  /** The store, once it is open. */
  get store(): Store | undefined {
    return this.#store;
  }

  /** What is stored at this moment. */
  get contents(): View | undefined {
    return this.#contents;
  }

  get network(): ProcessNetwork {
    return this.#options.network;
  }

  /** Its watches, for those who break them. */
  get watches(): Pick<FaultyCore, "endWatches" | "startLagging" | "stopLagging"> | undefined {
    return this.#core;
  }

  /** Opens the store and starts the engine; what goes wrong is told by {@link Process.settled}. */
  start(isNew: boolean): void {
    this.#do(() => this.#start(isNew));
  }

  /** Lets an operator do something beside what it does, with a stream of chance of its own. */
  operate(run: (operator: Operator) => Promise<void>, random: Stream): void {
    const operator = this.#operator(random);
    if (operator !== undefined) this.#do(() => run(operator));
  }

  /** Runs what belongs to it. */
  run(work: () => void): void {
    this.#realWork.run(work);
  }

  /** Ends in order. */
  stop(): void {
    this.#do(async () => {
      await this.#engine?.stop();
      await this.#store?.close();
      this.kill();
    });
  }

  /** Ends at once: whatever it was about to do never happens. */
  kill(): void {
    this.#isAlive = false;
    this.#end.resolve(undefined);
  }

  /**
   * Resolves when it has nothing to do now, or has ended.
   *
   * @throws what went wrong at its start, or in what an operator did
   * @throws {NeverAtRestError}
   */
  async settled(): Promise<void> {
    const quiet = Promise.race([this.#quiet(), this.#end.promise]);
    let isQuiet = false;
    try {
      await Promise.race([quiet, this.#stuck(() => isQuiet)]);
    } finally {
      isQuiet = true;
    }
  }

  async #stuck(isQuiet: () => boolean): Promise<void> {
    const { node, seed, patience, clock } = this.#options;
    const began = systemClock.now();
    for (let round = 1; ; round++) {
      await (round % ROUNDS_PER_TURN === 0 ? turn() : rest());
      if (isQuiet()) return;
      if (round % ROUNDS_PER_LOOK !== 0 || systemClock.now() - began <= patience) continue;
      throw new NeverAtRestError(
        `seed ${seed}, ${new Date(clock.now()).toISOString()}: ${node} did not come to rest within ` +
          `${patience / 1000} s; something waits for what is not simulated`,
      );
    }
  }

  /**
   * Who waits for an answer of another node, or has called one and waits before the next try, has
   * nothing to do until then; all others, and the real machine, are waited for.
   */
  async #quiet(): Promise<void> {
    const { network } = this.#options;
    const done = this.#done().then(() => true);
    if (await Promise.race([done, network.called.then(() => false)])) return;
    let before: string | undefined;
    for (let round = 1; ; round++) {
      // The engine, too, lets the event loop go round in between: only what stays so is quiet.
      const pause =
        before !== undefined || round % ROUNDS_PER_TURN === 0 ? turn().then(rest) : rest();
      if (await Promise.race([done, pause.then(() => false)])) return;
      if (!this.#isAlive) return;
      const now = this.#hasAskedEnough() ? this.#progress() : undefined;
      if (now !== undefined && now === before) break;
      before = now;
    }
    done.catch((error: unknown) => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it is
      this.#work = Promise.reject(error); // told when it is asked next
      this.#work.catch(() => undefined);
    });
  }

  /** What it still waits for, then, comes over the network or by its clock: as the next try does. */
  #hasAskedEnough(): boolean {
    return this.#core?.waiting === 0 && !this.#realWork.isWaiting;
  }

  /** Is another text once something was done. */
  #progress(): string {
    const { network, trace } = this.#options;
    return [trace.lines, network.waiting, network.calls, this.#core?.asked].join();
  }

  async #done(): Promise<void> {
    const work = this.#work;
    await work;
    if (this.#work === work) this.#work = Promise.resolve();
    await this.#options.network.answered();
    await this.#engine?.settled();
  }

  #do(work: () => Promise<void>): void {
    const before = this.#work;
    this.#work = this.#realWork.run(async () => {
      await before;
      await work();
    });
  }

  async #start(isNew: boolean): Promise<void> {
    const { disk, scenario, seed, node, boot, wait, crash, fails, onSetUp } = this.#options;
    const { clock, random, log } = this.machine;
    const isAlive = () => this.#isAlive;
    const committed = () => this.#committed();
    const database = disk.open({ isAlive, crash, wait, fails, committed });
    const { kinds } = scenario;
    const onAppend = (changes: readonly Change[]) => void (this.#appending = changes);
    const { core } = sqliteStoreOver(database, { clock, random, kinds, onAppend });
    this.#core = new FaultyCore(core, { isAlive, onCommitted: this.#options.onCommitted });
    this.#store = storeOver(this.#core);
    void core.snapshot([], (view) => {
      this.#contents = view; // the store's own, which goes on with it
    });
    const operator = this.#operator(random);
    if (isNew && operator !== undefined) await scenario.setup(operator);
    onSetUp();
    if (operator !== undefined) await scenario.boot(operator);
    const choices = streamOf(seed, "choices", node, boot);
    this.#engine = createEngine({
      store: this.#store,
      clock,
      random,
      log,
      controllers: scenario.controllers(this.machine),
      choose: (ready) => this.#chosen(ready, choices),
    });
    await this.#engine.start();
    this.#hasStarted = true;
  }

  #operator(random: Stream): Operator | undefined {
    const store = this.#store;
    if (store === undefined) return undefined;
    return {
      ...this.machine,
      random,
      store,
      create: (...given) => store.create(...given),
      modify: (...given) => store.modify(...given),
    };
  }

  #chosen(ready: readonly string[], choices: Stream): number {
    const { trace, line, count } = this.#options;
    const choice = choices.below(ready.length);
    if (this.#isAlive) {
      count("reconciles");
      trace.add(line("run", { unit: ready[choice], of: ready.length }));
    }
    return choice;
  }

  /** Before anybody hears of it, so that what it sets off comes later in the trace. */
  #committed(): void {
    const { trace, line, count, onWritten } = this.#options;
    const changes = this.#appending;
    this.#appending = [];
    if (changes.length === 0) return;
    count("writes");
    trace.add(line("write", writeFieldsOf(changes)));
    onWritten(changes.map(({ after }) => after).filter((resource) => resource !== undefined));
  }

  /** Only who reads the trace sees it. */
  #logger(fields: object): Logger {
    const { trace, line, onLogged } = this.#options;
    const at = (level: string) => (more: object, message: string) => {
      if (this.#isAlive && "code" in more) onLogged(String(more.code));
      if (this.#isAlive && trace.isRead)
        trace.remark(line("log", { level, text: message, fields: { ...fields, ...more } }));
    };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (more) => this.#logger({ ...fields, ...more }),
    };
  }
}
