/** `MachineService/Events` (talosctl-wire.md §3.4). */
import { after, seconds, type Clock } from "#runtime";
import { InvalidRequestError } from "#runtime/rpc";
import {
  Event,
  type EventsRequest,
  type MachineServiceServer,
} from "../../rpc/gen/machine/machine.ts";
import { EventsOverrunError } from "../errors.ts";
import type { Ring } from "../ring.ts";
import type { Body, Router } from "../router.ts";
import { isXid, timeOfXid } from "../xid.ts";

/** Something that happened on the node. */
export interface NodeEvent {
  /** An xid. */
  readonly id: string;
  /** Whose call it came of; empty when nobody called. */
  readonly actorId: string;
  /** A URL whose last part names the message. */
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** What has happened on a node, and the clock by which it is told since when. */
export interface NodeEvents {
  readonly ring: Ring<NodeEvent>;
  readonly clock: Pick<Clock, "now">;
}

/** Serves what has happened and what happens. */
export const eventsMethods = (
  router: Router,
  { ring: events, clock }: NodeEvents,
): Pick<MachineServiceServer, "events"> => ({
  events: router.stream<EventsRequest, Event>(async (request, sink) => {
    const from = beginning(request, events, clock); // what comes from now on is not missed
    await sink.send(hello());
    for await (const { items, lost } of events.read({ from, signal: sink.signal })) {
      if (lost > 0) throw new EventsOverrunError(lost);
      for (const event of items)
        if (request.withActorId === "" || event.actorId === request.withActorId)
          await sink.send(bodyOf(event));
    }
  }),
});

/** Clients drop the first message: it only says that they are being served. */
const hello = (): Body<Event> => ({
  data: { typeUrl: "", value: Buffer.alloc(0) },
  id: "",
  actorId: "",
});

const bodyOf = ({ id, actorId, typeUrl, value }: NodeEvent): Body<Event> => ({
  data: { typeUrl, value: Buffer.from(value) },
  id,
  actorId,
});

/** Where to begin: with what comes next, unless the request looks back. */
function beginning(
  request: EventsRequest,
  events: Ring<NodeEvent>,
  clock: NodeEvents["clock"],
): number {
  const { tailEvents, tailId, tailSeconds } = request;
  if ([tailEvents !== 0, tailId !== "", tailSeconds !== 0].filter(Boolean).length > 1)
    throw new InvalidRequestError("only one of tail_events, tail_id and tail_seconds can be given");
  if (tailId !== "" && !isXid(tailId))
    throw new InvalidRequestError(`tail_id ${JSON.stringify(tailId)} is no id of an event`);
  if (tailEvents < 0) return events.first;
  if (tailEvents > 0) return Math.max(events.first, events.end - tailEvents);
  // One that is not held is as good: it tells the time since when.
  if (tailId !== "") return firstWith(events, ({ id }) => id > tailId);
  if (tailSeconds > 0) {
    const since = after(clock.now(), -seconds(tailSeconds));
    return firstWith(events, ({ id }) => timeOfXid(id) > since);
  }
  return events.end;
}

function firstWith(events: Ring<NodeEvent>, is: (event: NodeEvent) => boolean): number {
  const index = events.items.findIndex(is);
  return index === -1 ? events.end : events.first + index;
}
