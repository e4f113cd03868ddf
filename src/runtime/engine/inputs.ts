/** Reads the inputs of a unit from one consistent view. */
import type { Input } from "../controller.ts";
import { formatPointer } from "../errors.ts";
import { matches } from "../query.ts";
import type { Resource } from "../resource.ts";
import type { View } from "../store/store.ts";
import { keyOf, type Unit } from "./lane.ts";

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
}

/** The value of one input, or why there is none. */
type Taken =
  | { readonly value: unknown; readonly used: readonly Resource[] }
  | { readonly missing: "waiting" | "withdrawn"; readonly why: string };

/** Reads all inputs of a unit. */
export function readInputs({ lane, item }: Unit, view: View): InputsRead {
  const { name, inputs } = lane.controller;
  const values: Record<string, unknown> = {};
  const strong = new Map<string, Resource>();
  const used = new Set<string>();
  let state: InputsRead["state"] = "complete";
  let waitingFor = "";
  for (const [key, input] of Object.entries(inputs)) {
    const found = candidatesOf(input, item, view);
    const taken = unreadable(input, item, view) ?? take(input, item, found);
    if ("missing" in taken) {
      const isWorse = state === "complete" || (state === "waiting" && taken.missing !== "waiting");
      if (isWorse) ({ missing: state, why: waitingFor } = taken);
    } else values[key] = taken.value;
    if (!input.strong) continue;
    for (const resource of found) strong.set(keyOf(resource.metadata), resource);
    for (const { metadata } of "used" in taken ? taken.used : []) used.add(keyOf(metadata));
  }
  const unheld: Resource[] = [];
  const unused: Resource[] = [];
  for (const [key, resource] of strong) {
    const isHeld = resource.metadata.finalizers.includes(name);
    if (used.has(key) && !isHeld) unheld.push(resource);
    if (!used.has(key) && isHeld) unused.push(resource);
  }
  return { state, waitingFor, values, unheld, unused };
}

/** The resources that an input may consist of; for a strong one also those that it once did. */
function candidatesOf(input: Input<unknown>, item: string, view: View): readonly Resource[] {
  const { namespace, kind, mode, query, strong } = input;
  const { type } = kind;
  if (mode === "all") return view.list({ namespace, type }, strong ? undefined : query);
  const resource = view.get(pointerOf(input, item));
  return resource === undefined ? [] : [resource];
}

/** What cannot be read is not gone: whatever depends on it waits and keeps what it has. */
function unreadable(input: Input<unknown>, item: string, view: View): Taken | undefined {
  if (input.mode === "all" || input.damagedIsAbsent === true) return undefined;
  if (view.isDamaged?.(pointerOf(input, item)) !== true) return undefined;
  const why = `${formatPointer(pointerOf(input, item))}: stored, but cannot be read`;
  return { missing: "waiting", why };
}

const pointerOf = ({ namespace, kind, mode, id = "" }: Input<unknown>, item: string) => ({
  namespace,
  type: kind.type,
  id: mode === "each" ? item : id,
});

function take(input: Input<unknown>, item: string, found: readonly Resource[]): Taken {
  const { mode, query } = input;
  const used = found.filter(
    ({ metadata }) =>
      metadata.phase === "running" &&
      (query === undefined || !(input.strong || mode === "each") || matches(query, metadata)),
  );
  if (mode === "all") return { value: Object.freeze(used), used };
  const [resource] = used;
  const because = (why: string) => `${formatPointer(pointerOf(input, item))}: ${why}`;
  if (resource !== undefined) {
    if (mode === "gate" && !isReady(input, resource))
      return { missing: "waiting", why: because("not ready") };
    return { value: resource, used };
  }
  if (mode === "maybe") return { value: null, used };
  const isLeaving = found[0]?.metadata.phase === "tearingDown";
  const why = because(isLeaving ? "tearing down" : "doesn't exist");
  // A strong gate promises that the outputs go before it does; any other keeps them.
  const waits = mode === "gate" && !(input.strong && isLeaving);
  return { missing: waits ? "waiting" : "withdrawn", why };
}

const isReady = ({ ready }: Input<unknown>, { spec }: Resource): boolean =>
  ready === undefined || ready(spec as never);
