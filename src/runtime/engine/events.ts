/** Brings each change to the controllers that it concerns, without asking all of them. */
import type { Controller, Input, Inputs } from "../controller.ts";
import type { Kind } from "../store/store.ts";
import { ControllerStatus } from "./controller-status.ts";
import type { ChangeEvent } from "./kind-watch.ts";
import { kindKeyOf } from "./lane.ts";

/** A controller that is told of changes. */
export interface Listener {
  readonly controller: Controller;
  /** Its inputs now. */
  readonly inputs: Inputs;
  /** @param isBeginning whether it is part of what was there when the listening began */
  onInput(name: string, input: Input<unknown>, event: ChangeEvent, isBeginning: boolean): void;
  /** Of a resource that the controller owns. */
  onOutput(name: string, event: ChangeEvent, isBeginning: boolean): void;
}

interface Reader {
  readonly listener: Listener;
  readonly name: string;
  readonly input: Input<unknown>;
}

interface Writer {
  readonly listener: Listener;
  readonly output: string;
}

/** Everybody who has to do with one kind. */
interface Audience {
  ofKind: readonly Reader[];
  readonly ofId: Map<string, readonly Reader[]>;
  /** By name of the controller, which is the owner of what it writes. */
  readonly writers: Map<string, Writer>;
}

const nobody: readonly Reader[] = [];

/** Who is told of what. */
export class Events {
  readonly #audiences = new Map<string, Audience>();

  add(listener: Listener): void {
    const { name, outputs } = listener.controller;
    for (const [key, input] of Object.entries(listener.inputs))
      this.#addReader({ listener, name: key, input });
    for (const [output, { kind }] of Object.entries(outputs))
      this.#audienceOf(kind).writers.set(name, { listener, output });
  }

  /** Takes out what a listener is told. */
  drop(listener: Listener): void {
    const isOther = (reader: Reader) => reader.listener !== listener;
    for (const audience of this.#audiences.values()) {
      audience.ofKind = audience.ofKind.filter(isOther);
      for (const [id, readers] of audience.ofId) {
        const others = readers.filter(isOther);
        if (others.length > 0) audience.ofId.set(id, others);
        else audience.ofId.delete(id);
      }
      const { name } = listener.controller;
      if (audience.writers.get(name)?.listener === listener) audience.writers.delete(name);
    }
  }

  /** What tells everybody whom a change of the kind concerns. */
  teller(kind: Kind): (event: ChangeEvent, isBeginning: boolean) => void {
    const audience = this.#audienceOf(kind);
    return (event, isBeginning) => {
      const { ofKind, ofId, writers } = audience;
      const { id, owner } = event.resource.metadata;
      for (const { listener, name, input } of ofKind)
        listener.onInput(name, input, event, isBeginning);
      if (ofId.size > 0)
        for (const { listener, name, input } of ofId.get(id) ?? nobody)
          listener.onInput(name, input, event, isBeginning);
      const writer = owner === "" ? undefined : writers.get(owner);
      writer?.listener.onOutput(writer.output, event, isBeginning);
    };
  }

  /** Tells one listener what is there. */
  tellOf(kind: Kind, resources: Iterable<ChangeEvent["resource"]>, newcomer: Listener): void {
    const { ofKind, ofId, writers } = this.#audienceOf(kind);
    const readers = [...ofKind, ...[...ofId.values()].flat()].filter(
      ({ listener }) => listener === newcomer,
    );
    const writer = writers.get(newcomer.controller.name);
    for (const resource of resources) {
      const event = { type: "created", resource } as const;
      const { id, owner } = resource.metadata;
      for (const { name, input } of readers)
        if (input.id === undefined || input.id === id) newcomer.onInput(name, input, event, true);
      if (owner === newcomer.controller.name && writer?.listener === newcomer)
        newcomer.onOutput(writer.output, event, true);
    }
  }

  #addReader(reader: Reader): void {
    const { namespace, kind, id } = reader.input;
    const audience = this.#audienceOf({ namespace, type: kind.type });
    if (id === undefined) audience.ofKind = [...audience.ofKind, reader];
    else audience.ofId.set(id, [...(audience.ofId.get(id) ?? []), reader]);
  }

  #audienceOf({ namespace, type }: Kind): Audience {
    const key = kindKeyOf({ namespace, type });
    let audience = this.#audiences.get(key);
    if (audience === undefined) {
      audience = { ofKind: [], ofId: new Map(), writers: new Map() };
      this.#audiences.set(key, audience);
    }
    return audience;
  }
}

/** Whether a change tells how a controller is doing: those who fail must not wake each other by that. */
export const isStatus = ({ resource: { metadata } }: ChangeEvent): boolean =>
  metadata.type === ControllerStatus.type && metadata.namespace === ControllerStatus.namespace;

/** Whether it tells how this controller is doing: it knows, and must not wake itself. */
export const isStatusOf = ({ name }: Controller, event: ChangeEvent): boolean =>
  event.resource.metadata.id === name && isStatus(event);

/** Whether a change of an owned output is a reason to look at it again. */
export function concernsOwner(event: ChangeEvent, isBeginning: boolean): boolean {
  if (isBeginning || event.type !== "updated") return true;
  const { metadata, spec } = event.resource;
  if (metadata.phase === "tearingDown" && metadata.finalizers.length === 0) return true;
  // A reader that puts its finalizer on is none of the owner's business.
  const { old } = event;
  return (
    spec !== old.spec ||
    metadata.phase !== old.metadata.phase ||
    metadata.labels !== old.metadata.labels ||
    metadata.annotations !== old.metadata.annotations
  );
}
