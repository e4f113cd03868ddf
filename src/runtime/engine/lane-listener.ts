/** Turns changes into work for a controller with `reconcile`. */
import type { Controller, Input, Inputs, Output } from "../controller.ts";
import { formatPointer } from "../errors.ts";
import { matches } from "../query.ts";
import type { Resource } from "../resource.ts";
import { concernsOwner, isStatus, isStatusOf, type Listener } from "./events.ts";
import { isSeen } from "./inputs.ts";
import type { ChangeEvent } from "./kind-watch.ts";
import { keyOf, mayHoldInVain, unitOf, type IdsByItem, type Lane, type Unit } from "./lane.ts";
import type { Scheduler } from "./scheduler.ts";

/** Listens for one controller. */
export class LaneListener implements Listener {
  readonly #lane: Lane;
  readonly #scheduler: Scheduler;

  constructor(lane: Lane, scheduler: Scheduler) {
    this.#lane = lane;
    this.#scheduler = scheduler;
  }

  get controller(): Controller {
    return this.#lane.controller;
  }

  get inputs(): Inputs {
    return this.#lane.inputs;
  }

  onInput(name: string, input: Input<unknown>, event: ChangeEvent, isBeginning: boolean): void {
    if (!concernsInput(input, event) && !this.#isHeld(input, event)) return;
    if (input.mode !== "each" && isStatusOf(this.controller, event)) return;
    if (this.#lane.each === undefined) this.#onNeeded(unitOf(this.#lane, ""), input, event);
    else if (input.mode === "each")
      this.#onNeeded(unitOf(this.#lane, event.resource.metadata.id), input, event);
    else this.#onMapped(name, input, event, isBeginning);
  }

  onOutput(name: string, event: ChangeEvent, isBeginning: boolean): void {
    const output = this.#lane.controller.outputs[name];
    const item = output && this.#itemOf(output, event.resource);
    if (item === undefined) return;
    const ids = this.#lane.ids.get(name);
    if (ids !== undefined)
      if (event.type === "destroyed") forget(ids, item, event.resource.metadata.id);
      else note(ids, item, event.resource.metadata.id);
    if (concernsOwner(event, isBeginning)) this.#note(unitOf(this.#lane, item), event);
  }

  /** What it holds without seeing it any more, it has to let go of. */
  #isHeld({ strong }: Input<unknown>, { resource: { metadata } }: ChangeEvent): boolean {
    return strong && metadata.finalizers.includes(this.controller.name);
  }

  /** What a call needs is gone: whoever works on it need not go on. */
  #onNeeded(unit: Unit, input: Input<unknown>, event: ChangeEvent): void {
    if (unit.abort !== undefined && (input.mode === "one" || input.mode === "each"))
      if (event.type === "destroyed" || !isSeen(input, event.resource))
        unit.abort.abort(new Error(`${formatPointer(event.resource.metadata)} is torn down`));
    this.#onRead(unit, event);
  }

  /** At the beginning every item runs anyway: then only the index is made. */
  #onMapped(name: string, input: Input<unknown>, event: ChangeEvent, isBeginning: boolean): void {
    const { tally, units } = this.#lane;
    if (!isBeginning) tally.mappedIn++;
    if (input.items === undefined) {
      if (isBeginning) return;
      if (mayHoldInVain(this.#lane)) this.#onRead(unitOf(this.#lane, ""), event);
      tally.mappedOut += units.size;
      if (!isStatus(event)) this.#scheduler.enqueueAll(this.#lane, event.resource.metadata);
      else for (const unit of units.values()) this.#scheduler.hint(unit, event.resource.metadata);
      return;
    }
    const concerned = this.#mapped(name, input, event);
    if (isBeginning && !this.#isHeld(input, event)) return;
    if (concerned === undefined) {
      this.#scheduler.enqueueAll(this.#lane, event.resource.metadata);
      return;
    }
    tally.mappedOut += concerned.size;
    for (const item of concerned) this.#onRead(unitOf(this.#lane, item), event);
  }

  /**
   * Keeps the index of the items that a resource concerns.
   *
   * @returns those that a change concerns, before and after it; nothing when one cannot be mapped
   */
  #mapped(
    name: string,
    input: Input<unknown>,
    event: ChangeEvent,
  ): ReadonlySet<string> | undefined {
    const index = this.#lane.concerned.get(name);
    const { id } = event.resource.metadata;
    const before = event.type === "updated" ? this.#itemsFor(input, event.old) : [];
    const after = this.#itemsFor(input, event.resource);
    if (index !== undefined) {
      for (const item of before ?? []) forget(index, item, id);
      for (const item of after ?? [])
        if (event.type === "destroyed") forget(index, item, id);
        else note(index, item, id);
    }
    return before && after && new Set([...before, ...after]);
  }

  #itemsFor({ items }: Input<unknown>, resource: Resource): readonly string[] | undefined {
    try {
      return items?.(resource as Resource<never>) ?? [];
    } catch (cause) {
      this.#complain("items", cause);
      return undefined;
    }
  }

  /** Who reads what it writes itself wants to see that; its finalizers on others' it does not. */
  #onRead(unit: Unit, event: ChangeEvent): void {
    const { metadata } = event.resource;
    if (metadata.owner === this.controller.name) this.#scheduler.enqueue(unit, metadata);
    else this.#note(unit, event);
  }

  #note(unit: Unit, event: ChangeEvent): void {
    const { metadata } = event.resource;
    const key = unit.echoes && keyOf(metadata);
    if (key !== undefined && unit.echoes?.has(key)) unit.echoes.set(key, event);
    else if (isStatus(event)) this.#scheduler.hint(unit, metadata);
    else this.#scheduler.enqueue(unit, metadata);
  }

  #itemOf({ itemOf }: Output<unknown>, { metadata }: Resource): string | undefined {
    if (this.#lane.each === undefined) return "";
    if (itemOf === undefined) return metadata.id;
    try {
      return itemOf(metadata.id);
    } catch (cause) {
      this.#complain("itemOf", cause);
      return undefined;
    }
  }

  #complain(what: string, cause: unknown): void {
    this.#lane.log.error({ mapping: what, cause: String(cause) }, "a mapping failed");
  }
}

/**
 * Whether a resource that the input may consist of came, went or changed. Of a query that throws the
 * reading that follows tells.
 */
export function concernsInput(input: Input<unknown>, event: ChangeEvent): boolean {
  const { query, destroyReady } = input;
  if (query === undefined && !destroyReady) return true;
  const concerns = ({ metadata }: Resource) =>
    matches(query, metadata) && (!destroyReady || isSeen(input, { metadata }));
  try {
    return concerns(event.resource) || (event.type === "updated" && concerns(event.old));
  } catch {
    return true;
  }
}

function note(index: IdsByItem, item: string, id: string): void {
  const ids = index.get(item);
  if (ids === undefined) index.set(item, new Set([id]));
  else ids.add(id);
}

function forget(index: IdsByItem, item: string, id: string): void {
  const ids = index.get(item);
  if (ids?.delete(id) && ids.size === 0) index.delete(item);
}
