/** Brings each change to the controllers that it concerns, without asking all of them. */
import type { Controller, Input } from "../controller.ts";
import type { Kind } from "../store/store.ts";
import { ControllerStatus } from "./controller-status.ts";
import type { ChangeEvent } from "./kind-watch.ts";
import { kindKeyOf } from "./lane.ts";

/** A controller that is told of changes. */
export interface Listener {
  readonly controller: Controller;
  /** @param isBeginning whether it is part of what was there when the watch began */
  onInput(input: Input<unknown>, event: ChangeEvent, isBeginning: boolean): void;
  /** Of a resource that the controller owns. */
  onOutput(name: string, event: ChangeEvent, isBeginning: boolean): void;
  /** The watch of one of its kinds broke and was opened again: anything may have happened. */
  onGap(): void;
}

interface Reader {
  readonly listener: Listener;
  readonly input: Input<unknown>;
}

interface Writer {
  readonly listener: Listener;
  readonly output: string;
}

/** Everybody who has to do with one kind. */
interface Audience {
  readonly kind: Kind;
  readonly ofKind: Reader[];
  readonly ofId: Map<string, Reader[]>;
  /** By name of the controller, which is the owner of what it writes. */
  readonly writers: Map<string, Writer>;
}

/** Who is told of what. */
export class Events {
  readonly #audiences = new Map<string, Audience>();

  constructor(listeners: readonly Listener[]) {
    for (const listener of listeners) {
      const { name, inputs, outputs } = listener.controller;
      for (const input of Object.values(inputs)) this.#addReader({ listener, input });
      for (const [output, { kind }] of Object.entries(outputs))
        this.#audienceOf(kind).writers.set(name, { listener, output });
    }
  }

  /** The kinds that somebody has to do with. */
  get kinds(): readonly Kind[] {
    return [...this.#audiences.values()].map(({ kind }) => kind);
  }

  tell(kind: Kind, event: ChangeEvent, isBeginning: boolean): void {
    const { ofKind, ofId, writers } = this.#audienceOf(kind);
    const { id, owner } = event.resource.metadata;
    for (const { listener, input } of ofKind) listener.onInput(input, event, isBeginning);
    for (const { listener, input } of ofId.get(id) ?? [])
      listener.onInput(input, event, isBeginning);
    const writer = writers.get(owner);
    writer?.listener.onOutput(writer.output, event, isBeginning);
  }

  tellOfGap(kind: Kind): void {
    const { ofKind, ofId, writers } = this.#audienceOf(kind);
    const concerned = [...ofKind, ...[...ofId.values()].flat(), ...writers.values()];
    for (const listener of new Set(concerned.map(({ listener }) => listener))) listener.onGap();
  }

  #addReader(reader: Reader): void {
    const { namespace, kind, id } = reader.input;
    const { ofKind, ofId } = this.#audienceOf({ namespace, type: kind.type });
    if (id === undefined) ofKind.push(reader);
    else ofId.set(id, [...(ofId.get(id) ?? []), reader]);
  }

  #audienceOf({ namespace, type }: Kind): Audience {
    const key = kindKeyOf({ namespace, type });
    let audience = this.#audiences.get(key);
    if (audience === undefined) {
      const kind = { namespace, type };
      audience = { kind, ofKind: [], ofId: new Map(), writers: new Map() };
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
