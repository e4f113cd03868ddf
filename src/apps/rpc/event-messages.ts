/** The messages that events of a node hold, by name (talosctl-wire.md §3.4). */
import {
  AddressEvent,
  ConfigLoadErrorEvent,
  ConfigValidationErrorEvent,
  MachineStatusEvent,
  PhaseEvent,
  RestartEvent,
  SequenceEvent,
  ServiceStateEvent,
  TaskEvent,
} from "./gen/machine/machine.ts";

/** How each is written and read. */
export const eventMessages = {
  AddressEvent,
  ConfigLoadErrorEvent,
  ConfigValidationErrorEvent,
  MachineStatusEvent,
  PhaseEvent,
  RestartEvent,
  SequenceEvent,
  ServiceStateEvent,
  TaskEvent,
};

/** The name of a message. */
export type EventName = keyof typeof eventMessages;

/** A message, by its name. */
export type EventMessage<Name extends EventName> = ReturnType<
  (typeof eventMessages)[Name]["decode"]
>;

/** What comes before the name: Talos has no `type.googleapis.com` here. */
const PREFIX = "talos/runtime/machine.";

/** `talos/runtime/machine.TaskEvent`. */
export const typeUrlOf = (name: EventName): string => PREFIX + name;

/** Undefined for a message that is not known here. */
export function nameOfTypeUrl(typeUrl: string): EventName | undefined {
  const name = typeUrl.startsWith(PREFIX) ? typeUrl.slice(PREFIX.length) : "";
  return Object.hasOwn(eventMessages, name) ? (name as EventName) : undefined;
}
