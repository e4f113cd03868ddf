/** Turns changes into work for a controller with `reconcile`. */
import type { Controller, Input, Output } from "../controller.ts";
import { matches } from "../query.ts";
import type { Resource } from "../resource.ts";
import { concernsOwner, isStatus, isStatusOf, type Listener } from "./events.ts";
import type { ChangeEvent } from "./kind-watch.ts";
import { keyOf, unitOf, type Lane, type Unit } from "./lane.ts";
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

  onInput(input: Input<unknown>, event: ChangeEvent, isBeginning: boolean): void {
    if (input.query && !statesOf(event).some(({ metadata }) => matches(input.query, metadata)))
      return;
    if (input.mode !== "each" && isStatusOf(this.controller, event)) return;
    if (this.#lane.each === undefined) this.#onRead(unitOf(this.#lane, ""), event);
    else if (input.mode === "each")
      this.#onRead(unitOf(this.#lane, event.resource.metadata.id), event);
    else if (!isBeginning) this.#onMapped(input, event); // every item runs at the beginning
  }

  onOutput(name: string, event: ChangeEvent, isBeginning: boolean): void {
    const output = this.#lane.controller.outputs[name];
    const item = output && this.#itemOf(output, event.resource);
    if (item === undefined) return;
    this.#index(name, item, event);
    if (concernsOwner(event, isBeginning)) this.#note(unitOf(this.#lane, item), event);
  }

  onGap(): void {
    this.#scheduler.enqueueAll(this.#lane);
  }

  #onMapped({ items }: Input<unknown>, event: ChangeEvent): void {
    if (items === undefined) {
      if (!isStatus(event)) this.#scheduler.enqueueAll(this.#lane);
      else for (const unit of this.#lane.units.values()) this.#scheduler.hint(unit);
      return;
    }
    try {
      const concerned = statesOf(event).flatMap((state) => items(state as Resource<never>));
      for (const item of new Set(concerned)) this.#onRead(unitOf(this.#lane, item), event);
    } catch (cause) {
      this.#complain("items", cause);
      this.#scheduler.enqueueAll(this.#lane);
    }
  }

  /** Who reads what it writes itself wants to see that; its finalizers on others' it does not. */
  #onRead(unit: Unit, event: ChangeEvent): void {
    if (event.resource.metadata.owner === this.controller.name) this.#scheduler.enqueue(unit);
    else this.#note(unit, event);
  }

  #note(unit: Unit, event: ChangeEvent): void {
    const key = unit.echoes && keyOf(event.resource.metadata);
    if (key !== undefined && unit.echoes?.has(key)) unit.echoes.set(key, event);
    else if (isStatus(event)) this.#scheduler.hint(unit);
    else this.#scheduler.enqueue(unit);
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

  /** Keeps the ids that belong to an item, so that no run has to look at all of them. */
  #index(name: string, item: string, { type, resource }: ChangeEvent): void {
    const ids = this.#lane.ids.get(name);
    if (ids === undefined) return;
    const ofItem = ids.get(item) ?? new Set();
    if (type === "destroyed") ofItem.delete(resource.metadata.id);
    else ofItem.add(resource.metadata.id);
    if (ofItem.size > 0) ids.set(item, ofItem);
    else ids.delete(item);
  }

  #complain(what: string, cause: unknown): void {
    this.#lane.log.error({ mapping: what, cause: String(cause) }, "a mapping failed");
  }
}

/** The resource after the change, and before it where that is told. */
const statesOf = (event: ChangeEvent): readonly Resource[] =>
  event.type === "updated" ? [event.resource, event.old] : [event.resource];
