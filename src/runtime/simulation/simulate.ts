/**
 * Runs a scenario from one seed: events one after the other, properties between them. While faults run
 * what is `always` must hold; then they end, all is healed, and what is `eventually` must come to hold.
 */
import { after, days, type Instant } from "../instant.ts";
import { loadMemoryDatabases } from "../store/sqlite/database.ts";
import type { OpenDatabase } from "./disk.ts";
import { drawEvents, type SimulationEvent } from "./faults.ts";
import { Injector } from "./injector.ts";
import { Kernel } from "./kernel/kernel.ts";
import { Wire } from "./network.ts";
import { SimulatedNode } from "./node.ts";
import type { Properties, Scenario } from "./scenario.ts";
import { Tally, type Counts } from "./tally.ts";
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

const NOTHING_THROWN = "no error leaves the code that runs";
const EVENTS_PER_PROGRESS = 4096;

/**
 * Simulates.
 *
 * @throws {TypeError} when there is no such node, operation or seed; the reason of the signal
 */
export async function simulate(scenario: Scenario, options: SimulateOptions): Promise<Simulation> {
  if (!Number.isSafeInteger(options.seed)) throw new TypeError("a seed is a whole number");
  return new Simulator(scenario, options, await loadMemoryDatabases()).run();
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
    const { seed } = options;
    const kernel = new Kernel(scenario.start);
    const [trace, tally] = [new Trace(options.trace), this.#tally];
    this.#scenario = scenario;
    this.#options = options;
    this.#kernel = kernel;
    this.#trace = trace;
    this.#events = eventsOf(scenario, options);
    this.#wire = this.#newWire();
    const wire = this.#wire;
    this.#nodes = new Map(
      scenario.nodes.map((name) => [
        name,
        new SimulatedNode({
          ...{ name, seed, scenario, kernel, trace, tally, open, wire },
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
      if (this.#options.signal?.aborted && error === this.#options.signal.reason) throw error;
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
    this.#check(Object.entries(this.#scenario.eventually()), "eventually");
  }

  async #runTo(end: Instant): Promise<void> {
    const { signal, onProgress } = this.#options;
    const check = () => this.#checkAlways();
    while (await this.#kernel.step(end, check)) {
      check();
      if (this.#kernel.count % EVENTS_PER_PROGRESS !== 0) continue;
      onProgress?.(this.#progress());
      signal?.throwIfAborted();
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
    for (const node of nodes) if (node.written.length > 0) node.written = [];
  }

  #look(nodes: readonly SimulatedNode[]): void {
    for (const node of nodes) node.look();
    this.#world.lookAt(nodes);
  }

  #check(properties: readonly [string, Properties[string]][], when: Failure["when"]): void {
    for (const [property, holds] of properties) {
      this.#tally.count("checks");
      const verdict = holds(this.#world);
      if (verdict === true) continue;
      const problems = verdict === false ? [] : verdict;
      if (verdict === false || problems.length > 0)
        throw new BrokenError({ property, when, at: this.#kernel.now, problems });
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
      onSent: (node, to, { kind, id }, copies) =>
        trace.add({ what: "message", at: kernel.now, node, to, kind, id, copies }),
    });
  }
}
