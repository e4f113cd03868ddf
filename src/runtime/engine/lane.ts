/** What the engine keeps of each controller, and of each of its items. */
import type { Controller } from "../controller.ts";
import type { Pointer } from "../errors.ts";
import type { Instant } from "../instant.ts";
import type { Logger } from "../logger.ts";
import type { Kind, WatchEvent } from "../store/store.ts";
import { Fifo } from "./fifo.ts";
import type { Leaving } from "./finalizers.ts";

/** What a controller tells of a failure. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** The smallest thing that is reconciled: a controller, or one item of a queued controller. */
export interface Unit {
  readonly lane: Lane;
  /** The empty string unless the controller is queued. */
  readonly item: string;
  /** In the lane's queue. */
  isReady: boolean;
  isRunning: boolean;
  /** Something changed since the snapshot of the run that is going on. */
  isStale: boolean;
  /** The same, but it is no reason to try again sooner after a failure. */
  isHinted: boolean;
  /** While a commit is in flight: what was last heard of the resources that it writes. */
  echoes: Map<string, WatchEvent | undefined> | undefined;
  /** Asked for by the last successful reconcile. */
  wakeAt: Instant | null;
  retryAt: Instant | null;
  /** The last run was asked for by a wake-up in the past. */
  isOverdue: boolean;
  /** Tries that failed in a row. */
  attempt: number;
  failure: Failure | null;
  /** The input that is missing or not ready, as text; empty when none is. */
  waitingFor: string;
  /** The outputs that are being torn down, with the strong inputs that wait for that; see finalizers.ts. */
  leaving: Leaving | undefined;
}

/** A controller in the engine. */
export interface Lane {
  readonly controller: Controller;
  /** Says the name of the controller in each line. */
  readonly log: Logger;
  /** The name of the input that makes it a queued controller. */
  readonly each: string | undefined;
  /** Everything that its inputs and outputs are read from. */
  readonly kinds: readonly Kind[];
  /** By item. */
  readonly units: Map<string, Unit>;
  /** By name of an output that has `itemOf`: the ids that belong to an item. */
  readonly ids: ReadonlyMap<string, Map<string, Set<string>>>;
  readonly ready: Fifo<Unit>;
  running: number;
  /** All units are to be queued as soon as something is. */
  isSwept: boolean;
  readonly failing: Set<Unit>;
  readonly waiting: Set<Unit>;
}

/** Starts to keep a controller. */
export function laneOf(controller: Controller, log: Logger): Lane {
  const itemised = Object.entries(controller.outputs).filter(([, output]) => output.itemOf);
  return {
    controller,
    log: log.child({ controller: controller.name }),
    each: Object.entries(controller.inputs).find(([, { mode }]) => mode === "each")?.[0],
    kinds: kindsOf(controller),
    units: new Map(),
    ids: new Map(itemised.map(([name]) => [name, new Map<string, Set<string>>()])),
    ready: new Fifo(),
    running: 0,
    isSwept: false,
    failing: new Set(),
    waiting: new Set(),
  };
}

/** The kinds of the inputs and outputs, each once. */
export function kindsOf({ inputs, outputs }: Controller): readonly Kind[] {
  const kinds = [
    ...Object.values(inputs).map(({ namespace, kind: { type } }) => ({ namespace, type })),
    ...Object.values(outputs).map(({ kind: { namespace, type } }) => ({ namespace, type })),
  ];
  return [...new Map(kinds.map((kind) => [kindKeyOf(kind), kind])).values()];
}

/** The unit of an item; it is made when it is first asked for. */
export function unitOf(lane: Lane, item: string): Unit {
  const known = lane.units.get(item);
  if (known !== undefined) return known;
  const unit: Unit = {
    lane,
    item,
    isReady: false,
    isRunning: false,
    isStale: false,
    isHinted: false,
    echoes: undefined,
    wakeAt: null,
    retryAt: null,
    isOverdue: false,
    attempt: 0,
    failure: null,
    waitingFor: "",
    leaving: undefined,
  };
  lane.units.set(item, unit);
  return unit;
}

/** `Controller`, or `Controller/item`: what logs and the hook that chooses call a unit. */
export const nameOf = ({ lane, item }: Unit): string =>
  lane.each === undefined ? lane.controller.name : `${lane.controller.name}/${item}`;

/** A key for maps of kinds: no two kinds have the same. */
export const kindKeyOf = ({ namespace, type }: Kind): string =>
  `${namespace.length} ${namespace} ${type.length} ${type}`;

/** A key for maps of resources: no two pointers have the same. */
export const keyOf = (pointer: Pointer): string => `${kindKeyOf(pointer)} ${pointer.id}`;
