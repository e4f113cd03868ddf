/** What happens on nodes, over `machine.MachineService` (talosctl-wire.md §3.4). */
import { eventMessages, nameOfTypeUrl, type EventMessage } from "../rpc/event-messages.ts";
import type { EventName } from "../rpc/event-messages.ts";
import type { Event } from "../rpc/gen/machine/machine.ts";
import type { Client } from "./client.ts";
import { callMetadata, messages } from "./connection.ts";
import type { Endpoints } from "./failover.ts";
import { ReplyError } from "./resource.ts";

/** How far to look back, in one way at most; left out: not at all. */
export interface EventsRequest {
  /** By a number of events; -1: all that are kept. */
  readonly tail?: number;
  /** After the event with this id. */
  readonly since?: string;
  /** In milliseconds, taken as whole seconds. */
  readonly duration?: number;
  /** What came of the call with this id, and nothing else. */
  readonly actorId?: string;
}

/** A message, with its name. */
export type Told = {
  readonly [Name in EventName]: { readonly name: Name; readonly message: EventMessage<Name> };
}[EventName];

/** Something that happened on a node. */
export interface Happening {
  readonly type: "happened";
  /** An xid: ids of one node come in the order of what happens. */
  readonly id: string;
  /** Empty when nobody asked for it. */
  readonly actorId: string;
  readonly typeUrl: string;
  /** Undefined when it is of a kind that is not known here. */
  readonly told: Told | undefined;
}

/** What a stream of events says; `opened` comes first, and from then on nothing is missed. */
export type ClientEvent = Happening | { readonly type: "opened" };

/** Makes the calls. */
export const eventCalls = (endpoints: Endpoints): Pick<Client, "events"> => ({
  async *events({ tail = 0, since = "", duration = 0, actorId = "" }, { node, signal } = {}) {
    const request = {
      ...{ tailEvents: tail, tailId: since, withActorId: actorId },
      tailSeconds: Math.trunc(duration / 1000),
    };
    const received = endpoints.stream(node, ({ machine }) =>
      messages(machine.events(request, callMetadata(node)), signal),
    );
    for await (const event of received)
      yield isHello(event) ? { type: "opened" as const } : happeningOf(event);
  },
});

const isHello = ({ id, data }: Event): boolean => id === "" && (data?.typeUrl ?? "") === "";

/** @throws {ReplyError} when it is not what its name says */
function happeningOf({ id, actorId, data }: Event): Happening {
  const { typeUrl = "", value = Buffer.alloc(0) } = data ?? {};
  const name = nameOfTypeUrl(typeUrl);
  const happening = { type: "happened" as const, id, actorId, typeUrl };
  if (name === undefined) return { ...happening, told: undefined };
  try {
    const message = eventMessages[name].decode(value);
    return { ...happening, told: { name, message } as Told };
  } catch (cause) {
    throw new ReplyError(`the ${name} ${JSON.stringify(id)} cannot be read`, { cause });
  }
}
