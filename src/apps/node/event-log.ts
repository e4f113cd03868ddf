/** What has happened on the node since it was started, for those who ask. */
import type { Clock, Random } from "#runtime";
import { Ring, xidSource, type NodeEvent } from "../apid/index.ts";
import {
  eventMessages,
  typeUrlOf,
  type EventMessage,
  type EventName,
} from "../rpc/event-messages.ts";

/** As many as Talos keeps. */
const EVENTS_MAX = 1000;

/** Tells everybody who listens. */
export interface EventLog {
  readonly ring: Ring<NodeEvent>;
  readonly clock: Clock;
  /** @param actorId whose call it came of */
  publish<Name extends EventName>(name: Name, message: EventMessage<Name>, actorId?: string): void;
}

/** Starts without any. */
export function openEventLog({
  clock,
  random,
}: {
  readonly clock: Clock;
  readonly random: Random;
}): EventLog {
  const ring = new Ring<NodeEvent>({ itemsMax: EVENTS_MAX });
  const nextId = xidSource(clock, random);
  return {
    ring,
    clock,
    publish(name, message, actorId = "") {
      const value = eventMessages[name].encode(message as never).finish();
      ring.append({ id: nextId(), actorId, typeUrl: typeUrlOf(name), value });
    },
  };
}
