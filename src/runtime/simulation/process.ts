/** One process of a simulated node: the real store and the real engine, from its start to its end. */
import type { Clock } from "../clock.ts";
import { createEngine, type Engine } from "../engine/index.ts";
import { turn } from "../engine/turn.ts";
import type { Logger } from "../logger.ts";
import { formatPointer } from "../errors.ts";
import type { Resource } from "../resource.ts";
import { sqliteStoreOver } from "../store/sqlite/sqlite.ts";
import { storeOver, type Store } from "../store/state.ts";
import type { View } from "../store/store.ts";
import type { Disk } from "./disk.ts";
import { processFiles } from "./files.ts";
import { FaultyCore } from "./faulty-core.ts";
import { rest, StandstillError } from "./kernel/kernel.ts";
import { streamOf, type Stream } from "./kernel/streams.ts";
import type { ProcessNetwork } from "./network.ts";
import type { Machine, Operator, Scenario } from "./scenario.ts";
import type { Trace, TraceLine } from "./trace.ts";

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
  /** A line about this process, with its time and node. */
  readonly line: (what: string, fields: object) => TraceLine;
  /** A commit takes so long. */
  readonly wait: (duration: number) => void;
  /** The machine goes down. */
  readonly crash: () => void;
  /** Something went wrong that it may not be blamed for. */
  readonly fails: () => void;
  readonly isClockRight: () => boolean;
  /** Told of what is stored by commits that went well. */
  readonly onWritten: (resources: readonly Resource[]) => void;
  /** Told of the codes that are logged. */
  readonly onLogged: (code: string) => void;
  /** Counts what is told at the end. */
  readonly count: (what: "reconciles" | "writes") => void;
  readonly noted: (name: string) => void;
  readonly network: ProcessNetwork;
}

/** An engine that has much to do lets the event loop go round in between. */
const ROUNDS_PER_TURN = 64;
/** Whoever waits longer waits for something that will not come. */
const ROUNDS_MAX = 20_000 * ROUNDS_PER_TURN;

/** A process. */
export class Process {
  readonly #options: ProcessOptions;
  readonly #end = Promise.withResolvers<undefined>();
  readonly machine: Machine;
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
      options.noted(what);
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

  /** Lets an operator do something beside what it does. */
  operate(run: (operator: Operator) => Promise<void>): void {
    const operator = this.#operator();
    if (operator !== undefined) this.#do(() => run(operator));
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
   */
  async settled(): Promise<void> {
    const quiet = Promise.race([this.#quiet(), this.#end.promise]);
    let isQuiet = false;
    const stuck = async () => {
      for (let round = 1; round < ROUNDS_MAX; round++) {
        await (round % ROUNDS_PER_TURN === 0 ? turn() : rest());
        if (isQuiet) return;
      }
      throw new StandstillError(
        "a process never comes to rest: something waits for what is not simulated",
      );
    };
    try {
      await Promise.race([quiet, stuck()]);
    } finally {
      isQuiet = true;
    }
  }

  /** Who waits for an answer of another node has nothing to do until that comes. */
  async #quiet(): Promise<void> {
    const { network } = this.#options;
    const done = this.#done().then(() => true);
    if (await Promise.race([done, network.called.then(() => false)])) return;
    for (let round = 1; ; round++) {
      const pause = round % ROUNDS_PER_TURN === 0 ? turn() : rest();
      if (await Promise.race([done, pause.then(() => false)])) return;
      if (network.waiting > 0 && this.#core?.waiting === 0) break;
    }
    done.catch((error: unknown) => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it is
      this.#work = Promise.reject(error); // told when it is asked next
      this.#work.catch(() => undefined);
    });
  }

  async #done(): Promise<void> {
    const work = this.#work;
    await work;
    if (this.#work === work) this.#work = Promise.resolve();
    await this.#engine?.settled();
  }

  #do(work: () => Promise<void>): void {
    const before = this.#work;
    this.#work = (async () => {
      await before;
      await work();
    })();
  }

  async #start(isNew: boolean): Promise<void> {
    const { disk, scenario, seed, node, boot, wait, crash, fails } = this.#options;
    const { clock, random, log } = this.machine;
    const isAlive = () => this.#isAlive;
    const database = disk.open({ isAlive, crash, wait, fails });
    const { core } = sqliteStoreOver(database, { clock, random, kinds: scenario.kinds });
    this.#core = new FaultyCore(core, { isAlive, onWritten: (written) => this.#written(written) });
    this.#store = storeOver(this.#core);
    void core.snapshot([], (view) => {
      this.#contents = view; // the store's own, which goes on with it
    });
    const operator = this.#operator();
    if (isNew && operator !== undefined) await scenario.setup(operator);
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

  #operator(): Operator | undefined {
    const store = this.#store;
    if (store === undefined) return undefined;
    return {
      ...this.machine,
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

  #written(resources: readonly (Resource | undefined)[]): void {
    const { trace, line, count, onWritten } = this.#options;
    count("writes");
    onWritten(resources.filter((resource) => resource !== undefined));
    const versions = resources.map((resource) =>
      resource === undefined
        ? null
        : `${formatPointer(resource.metadata)} ${resource.metadata.phase} ${resource.metadata.version}`,
    );
    trace.add(line("write", { versions }));
  }

  /** Only who reads the trace sees it. */
  #logger(fields: object): Logger {
    const { trace, line, onLogged } = this.#options;
    const at = (level: string) => (more: object, message: string) => {
      if (this.#isAlive && "code" in more) onLogged(String(more.code));
      if (this.#isAlive && trace.isRead)
        trace.remark(line("log", { level, text: message, ...fields, ...more }));
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
