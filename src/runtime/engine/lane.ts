/** What the engine keeps of each controller, and of each of its items. */
import type { Controller, Input, Inputs } from "../controller.ts";
import type { Pointer } from "../errors.ts";
import type { Instant } from "../instant.ts";
import type { Logger } from "../logger.ts";
import type { Kind, WatchEvent } from "../store/store.ts";
import { Fifo } from "./fifo.ts";
import type { Leaving } from "./finalizers.ts";
import { Tally } from "./tally.ts";

/** What a controller tells of a failure. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** Why a unit runs: the resource that changed, or a word. */
export type Reason = Pointer | "start" | "wake-up" | "retry";

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
  /** The newest reason to run. */
  reason: Reason;
  /** While a commit is in flight: what was last heard of the resources that it writes. */
  echoes: Map<string, WatchEvent | undefined> | undefined;
  /** Ends the call that is going on, if it asked for its signal. */
  abort: AbortController | undefined;
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

/** Ids by item: no run has to look at all of them. */
export type IdsByItem = Map<string, Set<string>>;

/** A controller in the engine. */
export interface Lane {
  readonly controller: Controller;
  /** Says the name of the controller in each line. */
  readonly log: Logger;
  /** The name of the input that makes it a queued controller. */
  readonly each: string | undefined;
  /** Those that it has now. */
  inputs: Inputs;
  /** The same, by name. */
  inputList: readonly (readonly [string, Input<unknown>])[];
  /** Everything that its inputs and outputs are read from. */
  kinds: readonly Kind[];
  /** By item. */
  readonly units: Map<string, Unit>;
  /** By name of an output that has `itemOf`: the ids that belong to an item. */
  readonly ids: ReadonlyMap<string, IdsByItem>;
  /** By name of an input that has `items` and is not strong: the ids that concern an item. */
  readonly concerned: ReadonlyMap<string, IdsByItem>;
  readonly ready: Fifo<Unit>;
  running: number;
  /** What was there when it was registered has been told: it may run. */
  isOpen: boolean;
  /** All units are to be queued as soon as something is. */
  isSwept: boolean;
  /** What one item writes, no other one reads. */
  readonly isIndependent: boolean;
  /** Its reconciles have returned without a promise up to now. */
  isSynchronous: boolean;
  readonly failing: Set<Unit>;
  readonly waiting: Set<Unit>;
  /** Why it last ran. */
  lastReason: Reason;
  readonly tally: Tally;
}

/** Starts to keep a controller. */
export function laneOf(controller: Controller, log: Logger): Lane {
  const { inputs, outputs } = controller;
  const indexOf = (names: readonly string[]) =>
    new Map(names.map((name) => [name, new Map<string, Set<string>>()]));
  const namesOf = <T>(entries: Readonly<Record<string, T>>, has: (entry: T) => boolean) =>
    Object.keys(entries).filter((name) => has(entries[name] as T));
  const each = Object.entries(inputs).find(([, { mode }]) => mode === "each")?.[0];
  return {
    controller,
    log: log.child({ controller: controller.name }),
    each,
    inputs,
    inputList: Object.entries(inputs),
    kinds: kindsOf(controller, inputs),
    units: new Map(),
    ids: indexOf(namesOf(outputs, ({ itemOf }) => itemOf !== undefined)),
    concerned: indexOf(
      each === undefined
        ? []
        : namesOf(inputs, ({ items, strong }) => items !== undefined && !strong),
    ),
    ready: new Fifo(),
    running: 0,
    isOpen: false,
    isSwept: false,
    isIndependent: each !== undefined && isIndependent(controller),
    isSynchronous: false,
    failing: new Set(),
    waiting: new Set(),
    lastReason: "start",
    tally: new Tally(),
  };
}

/** Whether no item reads or holds what another one writes or holds. */
function isIndependent({ inputs, outputs }: Controller): boolean {
  const written = new Set(Object.values(outputs).map(({ kind }) => kind.type));
  return Object.values(inputs).every(
    ({ mode, strong, kind }) => (mode === "each" || !strong) && !written.has(kind.type),
  );
}

/** The kinds of the inputs and outputs, each once. */
export function kindsOf({ outputs }: Controller, inputs: Inputs): readonly Kind[] {
  const kinds = [
    ...Object.values(inputs).map(({ namespace, kind: { type } }) => ({ namespace, type })),
    ...Object.values(outputs).map(({ kind: { namespace, type } }) => ({ namespace, type })),
  ];
  return [...new Map(kinds.map((kind) => [kindKeyOf(kind), kind])).values()];
}

/** Whether there may be strong inputs that are held for items which are gone: nobody looks after them. */
export const mayHoldInVain = ({ each, units, inputList }: Lane): boolean =>
  each !== undefined &&
  units.size === 0 &&
  inputList.some(([name, { strong }]) => strong && name !== each);

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
    reason: "start",
    echoes: undefined,
    abort: undefined,
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
