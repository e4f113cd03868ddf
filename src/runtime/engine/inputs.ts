/** Reads the inputs of a unit from one consistent view. */
import type { Input } from "../controller.ts";
import { formatPointer, type Pointer } from "../errors.ts";
import { compareUtf8, matches } from "../query.ts";
import type { Resource } from "../resource.ts";
import type { View } from "../store/store.ts";
import { keyOf, kindKeyOf, type Lane, type Unit } from "./lane.ts";

/** What the inputs of a unit are at a moment. */
export interface InputsRead {
  /**
   * - `complete`: reconcile
   * - `waiting`: a gate is not ready; what is held stays
   * - `withdrawn`: a resource that the outputs depend on is gone, and so they go
   */
  readonly state: "complete" | "waiting" | "withdrawn";
  /** What is missing or not ready; empty when complete. */
  readonly waitingFor: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Strong inputs in use that do not have the controller's finalizer yet. */
  readonly unheld: readonly Resource[];
  /** Strong inputs not in use any more that have it still. */
  readonly unused: readonly Resource[];
  /** Whether `reconcile` sees some of the unused. */
  readonly seesUnused: boolean;
}

/** The value of one input, or why there is none. */
type Taken =
  { readonly value: unknown } | { readonly missing: "waiting" | "withdrawn"; readonly why: string };

/** What is read, while it is read. */
interface Draft {
  state: InputsRead["state"];
  waitingFor: string;
  readonly values: Record<string, unknown>;
  /** By key: strong inputs, and whether they are in use. */
  strong: Map<string, Strong> | undefined;
}

interface Strong {
  readonly resource: Resource;
  isUsed: boolean;
  isSeen: boolean;
}

const none: readonly Resource[] = Object.freeze([]);

/** Reads all inputs of a unit. */
export function readInputs(unit: Unit, view: View): InputsRead {
  const draft: Draft = { state: "complete", waitingFor: "", values: {}, strong: undefined };
  for (const [name, input] of unit.lane.inputList) readInput(unit, name, input, view, draft);
  const { state, waitingFor, values, strong } = draft;
  if (strong === undefined)
    return { state, waitingFor, values, unheld: none, unused: none, seesUnused: false };
  const finalizer = unit.lane.controller.name;
  const unheld: Resource[] = [];
  const unused: Resource[] = [];
  let seesUnused = false;
  for (const { resource, isUsed, isSeen } of strong.values()) {
    const isHeld = resource.metadata.finalizers.includes(finalizer);
    if (isUsed && !isHeld) unheld.push(resource);
    if (isUsed || !isHeld) continue;
    unused.push(resource);
    seesUnused ||= isSeen;
  }
  return { state, waitingFor, values, unheld, unused, seesUnused };
}

/** What inputs of before held and no strong input of now looks after. */
export function heldInVain(
  former: readonly Input<unknown>[],
  { inputList, controller }: Lane,
  view: View,
): readonly Resource[] {
  const found = new Map<string, Resource>();
  for (const { namespace, kind, id } of former)
    for (const resource of view.list({ namespace, type: kind.type }))
      if (id === undefined || id === resource.metadata.id)
        found.set(keyOf(resource.metadata), resource);
  const isOfNow = ({ metadata }: Resource) =>
    inputList.some(
      ([, { strong, namespace, kind, id = metadata.id }]) =>
        strong &&
        kindKeyOf({ namespace, type: kind.type }) === kindKeyOf(metadata) &&
        id === metadata.id,
    );
  return [...found.values()].filter(
    (resource) => resource.metadata.finalizers.includes(controller.name) && !isOfNow(resource),
  );
}

function readInput(
  unit: Unit,
  name: string,
  input: Input<unknown>,
  view: View,
  draft: Draft,
): void {
  const { lane, item } = unit;
  const found = candidatesOf(unit, name, input, view);
  const seen = seenOf(input, lane.each === undefined ? undefined : item, found);
  const taken = unreadable(input, item, view) ?? take(input, item, found, seen);
  if ("value" in taken) draft.values[name] = taken.value;
  else if (isWorse(taken.missing, draft.state))
    ({ missing: draft.state, why: draft.waitingFor } = taken);
  if (!input.strong) return;
  draft.strong ??= new Map();
  const isTaken = "value" in taken;
  const inSight = new Set(seen);
  for (const resource of found) {
    // What concerns other items only is theirs to hold and to let go.
    if (lane.each !== undefined && !inSight.has(resource) && isOfOthers(input, resource, item))
      continue;
    const key = keyOf(resource.metadata);
    const known = draft.strong.get(key) ?? { resource, isUsed: false, isSeen: false };
    if (isTaken && inSight.has(resource)) {
      known.isSeen = true;
      known.isUsed ||= resource.metadata.phase === "running";
    }
    draft.strong.set(key, known);
  }
}

const isWorse = (missing: "waiting" | "withdrawn", state: InputsRead["state"]): boolean =>
  state === "complete" || (state === "waiting" && missing !== "waiting");

/** The resources that an input may consist of; for a strong one also those that it once did. */
function candidatesOf(
  { lane, item }: Unit,
  name: string,
  input: Input<unknown>,
  view: View,
): readonly Resource[] {
  const { namespace, kind, mode, query, strong } = input;
  const { type } = kind;
  const index = lane.concerned.get(name);
  if (index !== undefined) {
    const ids = [...(index.get(item) ?? [])].sort(compareUtf8);
    return ids.flatMap((concerned) => view.get({ namespace, type, id: concerned }) ?? []);
  }
  if (mode === "all") return view.list({ namespace, type }, strong ? undefined : query);
  const resource = view.get(pointerOf(input, item));
  return resource === undefined ? none : [resource];
}

/** Whether an input lets a resource through, by its phase. */
export const isSeen = (
  { phase, destroyReady }: Input<unknown>,
  { metadata }: Pick<Resource, "metadata">,
): boolean =>
  (phase === "any" || metadata.phase === phase) &&
  (!destroyReady || metadata.finalizers.length === 0);

/** What of the candidates `reconcile` gets; in a queued controller for an item. */
function seenOf(
  input: Input<unknown>,
  item: string | undefined,
  found: readonly Resource[],
): readonly Resource[] {
  const { query } = input;
  const lets = (resource: Resource) =>
    isSeen(input, resource) &&
    (query === undefined || matches(query, resource.metadata)) &&
    (item === undefined || concerns(input, resource, item));
  return found.every(lets) ? found : found.filter(lets);
}

/** Whether it concerns some item, but not this one. */
const isOfOthers = (input: Input<unknown>, resource: Resource, item: string): boolean =>
  !concerns(input, resource, item) && input.items?.(resource as Resource<never>).length !== 0;

/** Where the mapping fails it is taken for concerning everybody. */
function concerns({ items }: Input<unknown>, resource: Resource, item: string): boolean {
  if (items === undefined) return true;
  try {
    return items(resource as Resource<never>).includes(item);
  } catch {
    return true;
  }
}

function take(
  input: Input<unknown>,
  item: string,
  found: readonly Resource[],
  seen: readonly Resource[],
): Taken {
  const { mode } = input;
  if (mode === "all") return { value: Object.isFrozen(seen) ? seen : Object.freeze([...seen]) };
  const [resource] = seen;
  if (resource !== undefined) {
    if (mode === "gate" && !isReady(input, resource))
      return { missing: "waiting", why: because(input, item, "not ready") };
    return { value: resource };
  }
  if (mode === "maybe") return { value: null };
  const isLeaving = found[0]?.metadata.phase === "tearingDown";
  const why = because(input, item, isLeaving ? "tearing down" : "doesn't exist");
  // A strong gate promises that the outputs go before it does; any other keeps them.
  const waits = mode === "gate" && !(input.strong && isLeaving);
  return { missing: waits ? "waiting" : "withdrawn", why };
}

/** What cannot be read is not gone: whatever depends on it waits and keeps what it has. */
function unreadable(input: Input<unknown>, item: string, view: View): Taken | undefined {
  if (input.mode === "all" || input.damagedIsAbsent === true) return undefined;
  if (view.isDamaged?.(pointerOf(input, item)) !== true) return undefined;
  return { missing: "waiting", why: because(input, item, "stored, but cannot be read") };
}

const pointerOf = (
  { namespace, kind: { type }, mode, id = "" }: Input<unknown>,
  item: string,
): Pointer => ({ namespace, type, id: mode === "each" ? item : id });

const because = (input: Input<unknown>, item: string, why: string): string =>
  `${formatPointer(pointerOf(input, item))}: ${why}`;

const isReady = ({ ready }: Input<unknown>, { spec }: Resource): boolean =>
  ready === undefined || ready(spec as never);
