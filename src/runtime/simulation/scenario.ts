/** Scenarios as data: what runs, what goes wrong, what must hold all the time and in the end. */
import type { Clock } from "../clock.ts";
import type { Controller } from "../controller.ts";
import type { Instant } from "../instant.ts";
import { minutes } from "../instant.ts";
import type { Logger } from "../logger.ts";
import type { AnyResourceType, DeepReadonly, Resource, ResourceType } from "../resource.ts";
import type { Store } from "../store/state.ts";
import { checkBounds, type FaultBounds, type SimulationEvent } from "./faults.ts";
import type { Files } from "./files.ts";
import type { Stream } from "./kernel/streams.ts";
import type { Network } from "./network.ts";

/** What the code on a node gets of its machine, anew for each process. */
export interface Machine {
  /** The node's. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Stream;
  readonly log: Logger;
  /** What stands on the disk beside the store, by path; it outlives the process. */
  readonly files: Files;
  /** How it talks to other nodes. */
  readonly network: Network;
  /** A stream of chance of its own for some purpose, the same in each process of the node. */
  readonly stream: (purpose: string) => Stream;
  /** The same for each process of each node. */
  readonly shared: (purpose: string) => Stream;
  /** Whether its clock is right within the tolerance of the scenario, as who keeps the time would say. */
  readonly isClockRight: () => boolean;
  /**
   * Resolves after so many milliseconds of true time: as long as a device takes, such as one that signs.
   * Whatever else there is to do on the node is done meanwhile.
   *
   * @throws {TypeError} in a scenario of one node
   */
  readonly takes: (duration: number) => Promise<void>;
  /** Puts something into the trace, and so into its hash. */
  readonly note: (what: string, value: string) => void;
}

type Operations = { readonly [Name in "create" | "modify"]: Store[Name] };

/** What {@link Scenario.setup} and operations work with. */
export interface Operator extends Machine {
  /** An operation has one of its own, which the others do not change. */
  readonly random: Stream;
  readonly store: Store;
  /** The store's. */
  readonly create: Operations["create"];
  /** The store's. */
  readonly modify: Operations["modify"];
}

/** What {@link Machine.note} was called with. */
export interface Note {
  readonly name: string;
  readonly value: string;
}

/** A node as properties see it, at this moment. */
export interface NodeView {
  readonly name: string;
  /** What the node takes for the time. */
  readonly clock: Pick<Clock, "now">;
  /** What stands on the disk beside the store. */
  readonly files: ReadonlyMap<string, string>;
  /** How many processes it had before the one that runs, or ran last. */
  readonly boot: number;
  /** Grows with each process and each commit: while it is the same, the same is stored. */
  readonly revision: number;
  /** What was stored since the properties were looked at last, oldest first, in phase running. */
  readonly written: readonly Resource[];
  /** What code on it has noted since then, oldest first. */
  readonly noted: readonly Note[];
  /** How many reconciles its processes have begun. */
  readonly runs: number;
  /** When it last logged a `code`; undefined when never. True time. */
  readonly logged: (code: string) => Instant | undefined;
  /** Whether a process runs; what is stored on a node that is down is not seen. */
  readonly isUp: boolean;
  /** Milliseconds by which its clock is ahead of true time. */
  readonly clockError: number;
  /** Whether the disk has room. */
  readonly isWritable: boolean;
  /**
   * Whether for so many milliseconds the node has been up, its clock right within the tolerance of the
   * scenario, and no commit has failed. Default: whether that is so now.
   */
  readonly isCalm: (duration?: number) => boolean;
  /**
   * Whether for so many milliseconds no message between it and another node was lost or late. Default:
   * whether that is so now.
   */
  readonly isReached: (other: string, duration?: number) => boolean;
  readonly resource: <Spec>(kind: ResourceType<Spec>, id: string) => Resource<Spec> | null;
  readonly spec: <Spec>(kind: ResourceType<Spec>, id: string) => DeepReadonly<Spec> | null;
  /** Sorted by id. */
  readonly list: <Spec>(kind: ResourceType<Spec>) => readonly Resource<Spec>[];
}

/** All nodes; what is asked of it directly is asked of the first. */
export interface WorldView extends NodeView {
  /** True time. */
  readonly now: Instant;
  readonly nodes: readonly NodeView[];
  /** Those in which something may have changed since the last look: after a commit, who made it. */
  readonly changed: readonly NodeView[];
}

/** Whether something holds, or what is wrong, one thing or a list: an empty list is nothing. */
export type Verdict = boolean | string | readonly string[];
export type Property = (world: WorldView) => Verdict;

/** By a sentence that says what holds. */
export type Properties = Readonly<Record<string, Property>>;

/** What somebody does to a node now and then. */
export interface Operation {
  /** How often a day; each seed draws from half of it up. */
  readonly rate: number;
  /** Coded errors are the world's answer; anything else ends the simulation. */
  readonly run: (operator: Operator) => Promise<void>;
}

/** What is simulated. */
export interface Scenario {
  readonly name: string;
  readonly start: Instant;
  /** Milliseconds of simulated time in which things go wrong. */
  readonly horizon: number;
  readonly nodes: readonly string[];
  /** What runs on a node; asked for each process anew. */
  readonly controllers: (machine: Machine) => readonly Controller[];
  /** Kinds whose schemas the stores hold stored specs to. */
  readonly kinds: readonly AnyResourceType[];
  /** Called for each node until it was over once, before its controllers run for the first time. */
  readonly setup: (operator: Operator) => Promise<void>;
  /** Called for each process, before its controllers run and after {@link Scenario.setup}. */
  readonly boot: (operator: Operator) => Promise<void>;
  readonly operations: Readonly<Record<string, Operation>>;
  /** Upper bounds; each seed draws its own, often zero. */
  readonly faults: FaultBounds;
  /** What happens besides the faults that are drawn. */
  readonly script: (stream: Stream) => readonly SimulationEvent[];
  /** Milliseconds by which a clock may be wrong on a node that is calm. */
  readonly clockTolerance: number;
  /** Made for each simulation, so that they may remember. */
  readonly always: () => Properties;
  readonly eventually: () => Properties;
  /** Milliseconds after the last fault in which everything that is `eventually` must come to hold. */
  readonly healWithin: number;
  /** How to run one again from a shell. */
  readonly command: (options: CommandOptions) => string;
}

/** What a command has to say. */
export interface CommandOptions {
  readonly scenario: string;
  readonly seed: number;
  readonly horizon: number;
  /** The places of the events that are kept of those that the seed draws; left out: all. */
  readonly only?: readonly number[];
}

type Made = (() => Properties) | Properties;

/** What {@link defineScenario} is given. */
export interface ScenarioDefinition {
  readonly name: string;
  readonly start: Instant;
  readonly horizon: number;
  /** Default one, called `node`. */
  readonly nodes?: readonly string[];
  readonly controllers: (machine: Machine) => readonly Controller[];
  readonly kinds?: readonly AnyResourceType[];
  /** What it needs to begin with; begun anew in the next process when it was cut short. */
  readonly setup?: (operator: Operator) => Promise<void> | void;
  readonly boot?: (operator: Operator) => Promise<void> | void;
  readonly operations?: Readonly<Record<string, Operation>>;
  /** Default none. */
  readonly faults?: FaultBounds;
  /** Events of every seed; what differs between seeds is drawn from the stream. Default none. */
  readonly script?: (stream: Stream) => readonly SimulationEvent[];
  /** Default 10 minutes. */
  readonly clockTolerance?: number;
  /** Checked at each step. A function is called for each simulation, so that properties may remember. */
  readonly always?: Made;
  /** Must hold together once the faults are over. */
  readonly eventually?: Made;
  /** Default 10 minutes. */
  readonly healWithin?: number;
  /** Default: a call of `simulate`. */
  readonly command?: (options: CommandOptions) => string;
}

/**
 * Declares a scenario.
 *
 * @throws {TypeError} when the horizon, the nodes or the faults are nothing that can be simulated
 */
export function defineScenario(defined: ScenarioDefinition): Scenario {
  const { always = {}, eventually = {}, setup, boot } = defined;
  if (!(defined.horizon > 0)) throw new TypeError("a scenario needs a horizon above 0");
  checkBounds(defined.faults ?? {});
  const { nodes = ["node"] } = defined;
  if (nodes.length === 0 || new Set(nodes).size < nodes.length)
    throw new TypeError("a scenario needs nodes with names of their own");
  return Object.freeze({
    kinds: [],
    operations: {},
    faults: {},
    script: () => [],
    clockTolerance: minutes(10),
    healWithin: minutes(10),
    command: callOf,
    ...defined,
    nodes,
    setup: async (operator: Operator) => setup?.(operator),
    boot: async (operator: Operator) => boot?.(operator),
    always: made(always),
    eventually: made(eventually),
  });
}

const made = (properties: Made) =>
  typeof properties === "function" ? properties : () => properties;

const callOf = ({ seed, horizon, only }: CommandOptions): string =>
  `simulate(scenario, ${JSON.stringify({ seed, horizon, ...(only && { only }) })})`;
