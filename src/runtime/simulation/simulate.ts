/**
 * Runs a scenario from one seed: events one after the other, properties between them. While faults run
 * what is `always` must hold; then they end, all is healed, and what is `eventually` must come to hold.
 */
import { after, days, minutes, type Instant } from "../instant.ts";
import { loadMemoryDatabases } from "../store/sqlite/database.ts";
import type { OpenDatabase } from "./disk.ts";
import { checkEvent, drawEvents, type SimulationEvent } from "./faults.ts";
import { Injector } from "./injector.ts";
import { Kernel } from "./kernel/kernel.ts";
import { followRealWork } from "./kernel/real-work.ts";
import { Wire } from "./network.ts";
import { SimulatedNode } from "./node.ts";
import type { Properties, Scenario } from "./scenario.ts";
import { Tally, type Counts } from "./tally.ts";
import { MisuseError, verdictOf } from "./verdict.ts";
import { NeverAtRestError } from "./process.ts";
import { digestOf } from "./written.ts";
import { Trace, type TraceSink } from "./trace.ts";
import { worldOf, type World } from "./world.ts";

/** What to simulate of a scenario. */
export interface SimulateOptions {
  /** A whole number; it decides everything. */
  readonly seed: number;
  /** Milliseconds in which things go wrong; default the scenario's. */
  readonly horizon?: number;
  /** The places of the events that are kept of those that the seed draws; default all. */
  readonly only?: readonly number[];
  /** Ends there, without healing; default after the healing. */
  readonly until?: Instant;
  /** Takes the lines of the trace as they come. */
  readonly trace?: TraceSink;
  /** Milliseconds of real time in which a process has to come to rest; default a minute. */
  readonly patience?: number;
  /** Ends the simulation early: it rejects with the reason. */
  readonly signal?: AbortSignal;
  /** Called now and then. */
  readonly onProgress?: (progress: Progress) => void;
}

/** How far a simulation has come. */
export interface Progress {
  /** Milliseconds of simulated time. */
  readonly simulated: number;
  readonly counts: Counts;
}

/** A property that did not hold, or what ended a simulation otherwise. */
export interface Failure {
  /** The sentence that was not true. */
  readonly property: string;
  readonly when: "always" | "eventually" | "thrown";
  readonly at: Instant;
  /** What is wrong, each naming its resource or node. */
  readonly problems: readonly string[];
}

/** What came of a simulation. */
export interface Simulation extends Progress {
  readonly scenario: string;
  readonly seed: number;
  readonly horizon: number;
  readonly only?: readonly number[];
  /** What happened to the nodes, with their places among what the seed draws. */
  readonly events: readonly PlacedEvent[];
  /** Over all that was decided, written and noted: 64 hexadecimal digits. */
  readonly hash: string;
  readonly failure: Failure | null;
}

/** An event, and where in the list of the seed it stands. */
export type PlacedEvent = SimulationEvent & { readonly place: number };

const EVERY_NODE_RUNS = "every node runs";
const NOTHING_THROWN = "no error leaves the code that runs";
const EVENTS_PER_PROGRESS = 4096;
const HORIZON_MAX = days(36_525);

/**
 * Simulates.
 *
 * @throws {TypeError} when there is no such node, operation or seed, or a property says neither that it
 *   holds nor what is wrong
 * @throws {NeverAtRestError} when something waits in vain for what is not simulated
 * @throws the reason of the signal, and whatever the sink of the trace throws
 */
export async function simulate(scenario: Scenario, options: SimulateOptions): Promise<Simulation> {
  checkOptions(scenario, options);
  const open = await loadMemoryDatabases();
  const isAlone = scenario.nodes.length === 1; // then nobody waits for the network
  const unfollow = isAlone ? undefined : followRealWork();
  try {
    return await new Simulator(scenario, options, open).run();
  } finally {
    unfollow?.();
  }
}

function checkOptions(scenario: Scenario, options: SimulateOptions): void {
  const { seed, horizon = scenario.horizon, only = [] } = options;
  if (!Number.isSafeInteger(seed)) throw new TypeError("a seed is a whole number");
  if (!(horizon >= 1 && horizon <= HORIZON_MAX))
    throw new TypeError("a horizon is from 1 ms to 100 years");
  for (const place of only)
    if (!Number.isSafeInteger(place) || place < 0)
      throw new TypeError("the places of events are whole numbers from 0 on");
}

/** The events of a seed, as they are numbered. */
export function eventsOf(
  scenario: Scenario,
  { seed, horizon = scenario.horizon, only }: SimulateOptions,
): readonly PlacedEvent[] {
  const kept = only && new Set(only);
  return drawEvents(scenario, seed, horizon)
    .map((event, place) => ({ ...event, place }))
    .filter(({ place }) => kept?.has(place) ?? true);
}

/** Ends a simulation in which something does not hold. */
class BrokenError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.property);
    this.failure = failure;
  }
}

class Simulator {
  readonly #scenario: Scenario;
  readonly #options: SimulateOptions;
  readonly #kernel: Kernel;
  readonly #trace: Trace;
  readonly #tally = new Tally();
  readonly #wire: Wire;
  readonly #nodes: ReadonlyMap<string, SimulatedNode>;
  readonly #injector: Injector;
  readonly #world: World;
  readonly #always: readonly [string, Properties[string]][];
  readonly #events: readonly PlacedEvent[];
  /** What was found broken in the middle of an event. */
  #broken: unknown;
  #isLooking = false;

  constructor(scenario: Scenario, options: SimulateOptions, open: OpenDatabase) {
    const { seed, patience = minutes(1) } = options;
    const kernel = new Kernel(scenario.start);
    const [trace, tally] = [new Trace(options.trace), this.#tally];
    this.#scenario = scenario;
    this.#options = options;
    this.#kernel = kernel;
    this.#trace = trace;
    this.#events = eventsOf(scenario, options);
    for (const event of this.#events) checkEvent(scenario, event);
    this.#wire = this.#newWire();
    const wire = this.#wire;
    this.#nodes = new Map(
      scenario.nodes.map((name) => [
        name,
        new SimulatedNode({
          ...{ name, seed, scenario, kernel, trace, tally, open, wire, patience },
          onCommit: (node) => {
            this.#checkBetween(node);
          },
        }),
      ]),
    );
    this.#injector = new Injector({ scenario, kernel, wire, nodes: this.#nodes, tally });
    this.#world = worldOf([...this.#nodes.values()], kernel);
    this.#always = Object.entries(scenario.always());
  }

  async run(): Promise<Simulation> {
    const { scenario, seed, horizon, only } = this.#header();
    this.#trace.add({ what: "scenario", name: scenario, seed, horizon, ...(only && { only }) });
    for (const event of this.#events)
      this.#kernel.at(event.at, async () => {
        this.#trace.add({ what: "event", ...event });
        await this.#injector.inject(event);
      });
    for (const node of this.#nodes.values()) this.#kernel.at(this.#kernel.now, () => node.start());
    this.#lookDaily();
    const failure = await this.#outcome();
    for (const node of this.#nodes.values()) await node.stop();
    this.#trace.add({ what: "over", at: this.#kernel.now, ...failure });
    this.#trace.throwIfBroken();
    const hash = this.#trace.digest;
    return { ...this.#header(), ...this.#progress(), events: this.#events, hash, failure };
  }

  /** Also where nothing happens time passes, and what is checked may break by that. */
  #lookDaily(): void {
    this.#kernel.at(after(this.#kernel.now, days(1)), () => {
      this.#lookDaily();
    });
  }

  async #outcome(): Promise<Failure | null> {
    try {
      await this.#live();
      return null;
    } catch (error) {
      if (error instanceof BrokenError) return error.failure;
      if (error instanceof NeverAtRestError || error instanceof MisuseError) throw error;
      if (this.#options.signal?.aborted && error === this.#options.signal.reason) throw error;
      this.#trace.throwIfBroken();
      const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const at = this.#kernel.now;
      return { property: NOTHING_THROWN, when: "thrown", at, problems: [problem] };
    }
  }

  async #live(): Promise<void> {
    const { start, healWithin } = this.#scenario;
    const { horizon } = this.#header();
    const { until = after(start, horizon + healWithin) } = this.#options;
    const faultsEnd = after(start, horizon);
    await this.#runTo(faultsEnd < until ? faultsEnd : until);
    if (until <= faultsEnd) return;
    this.#trace.add({ what: "heal", at: this.#kernel.now });
    await this.#injector.heal();
    this.#checkAlways();
    await this.#runTo(until);
    this.#look([...this.#nodes.values()]);
    this.#check([[EVERY_NODE_RUNS, () => this.#idle()]], "eventually");
    this.#check(Object.entries(this.#scenario.eventually()), "eventually");
  }

  /** What is said of a node that is down is said of nothing. */
  #idle(): readonly string[] {
    return [...this.#nodes.values()]
      .map(({ name, idleness }) => (idleness === undefined ? "" : `${name} does not: ${idleness}`))
      .filter((problem) => problem !== "");
  }

  async #runTo(end: Instant): Promise<void> {
    const { signal, onProgress } = this.#options;
    const check = () => this.#checkAlways();
    while (await this.#kernel.step(end, check)) {
      check();
      this.#trace.throwIfBroken();
      signal?.throwIfAborted();
      if (this.#kernel.count % EVENTS_PER_PROGRESS === 0) onProgress?.(this.#progress());
    }
  }

  /**
   * After a commit, in the middle of an event: no time has passed, and other nodes have not changed.
   * What is wrong is told at the end of the event, not to the code that runs.
   */
  #checkBetween(node: SimulatedNode): void {
    if (this.#broken !== undefined || this.#isLooking) return;
    this.#isLooking = true;
    try {
      const hasNews = (other: SimulatedNode) => other === node || other.written.length > 0;
      this.#checkAlways([...this.#nodes.values()].filter(hasNews));
    } catch (error) {
      this.#broken = error;
    }
    this.#isLooking = false;
  }

  #checkAlways(changed: Iterable<SimulatedNode> = this.#nodes.values()): void {
    if (this.#broken !== undefined) throw this.#broken as Error;
    const nodes = [...changed];
    this.#look(nodes);
    this.#check(this.#always, "always");
    for (const node of nodes) {
      if (node.written.length > 0) node.written = [];
      if (node.noted.length > 0) node.noted = [];
    }
  }

  #look(nodes: readonly SimulatedNode[]): void {
    for (const node of nodes) node.look();
    this.#world.lookAt(nodes);
  }

  #check(properties: readonly [string, Properties[string]][], when: Failure["when"]): void {
    for (const [property, holds] of properties) {
      this.#tally.count("checks");
      const at = this.#kernel.now;
      const verdict = verdictOf(property, () => holds(this.#world));
      if ("thrown" in verdict)
        throw new BrokenError({ property, when: "thrown", at, problems: [verdict.thrown] });
      const { isTrue, problems } = verdict;
      if (!isTrue) throw new BrokenError({ property, when, at, problems });
    }
  }

  #header(): Pick<Simulation, "scenario" | "seed" | "horizon" | "only"> {
    const { seed, horizon = this.#scenario.horizon, only } = this.#options;
    return { scenario: this.#scenario.name, seed, horizon, ...(only && { only }) };
  }

  #progress(): Progress {
    const simulated = this.#kernel.now - this.#scenario.start;
    return { simulated, counts: { ...this.#tally.counts, events: this.#kernel.count } };
  }

  #newWire(): Wire {
    const [trace, kernel] = [this.#trace, this.#kernel];
    return new Wire({
      seed: this.#options.seed,
      kernel,
      nodes: this.#scenario.nodes,
      deliver: async (to, message) => this.#nodes.get(to)?.receive(message),
      onSent: (node, to, message, copies) => {
        const { kind, id } = message;
        const digest = digestOf("body" in message ? message.body : message.text);
        trace.add({ what: "message", at: kernel.now, node, to, kind, id, copies, digest });
      },
    });
  }
}
