/** Events of nodes in words (talosctl-wire.md §2.9, §3.4). */
import type { Told } from "../../client/index.ts";
import {
  MachineStatusEvent_MachineStage as Stage,
  PhaseEvent_Action as PhaseAction,
  SequenceEvent_Action as SequenceAction,
  ServiceStateEvent_Action as ServiceAction,
  TaskEvent_Action as TaskAction,
} from "../../rpc/gen/machine/machine.ts";

/** What it is about, and what is said of that. */
export interface EventText {
  readonly source: string;
  readonly text: string;
}

type Names = Readonly<Record<string, number>>;

const nameIn = (names: Names, value: number): string =>
  Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value);

/** A stage of a machine: `RUNNING`. */
export const stageName = (stage: Stage): string => nameIn(Stage, stage);

type Texts = {
  readonly [Name in Told["name"]]: (message: Extract<Told, { name: Name }>["message"]) => EventText;
};

const texts: Texts = {
  SequenceEvent: ({ sequence, action, error }) => ({
    source: sequence,
    text: error === undefined ? nameIn(SequenceAction, action) : `error: ${error.message}`,
  }),
  PhaseEvent: ({ phase, action }) => ({ source: phase, text: nameIn(PhaseAction, action) }),
  TaskEvent: ({ task, action }) => ({ source: task, text: nameIn(TaskAction, action) }),
  ServiceStateEvent: ({ service, action, message }) => ({
    source: service,
    text: `${nameIn(ServiceAction, action)}: ${message}`,
  }),
  RestartEvent: ({ cmd }) => ({ source: "restart", text: `cmd: ${cmd}` }),
  ConfigLoadErrorEvent: ({ error }) => ({ source: "error", text: error }),
  ConfigValidationErrorEvent: ({ error }) => ({ source: "error", text: error }),
  AddressEvent: ({ hostname, addresses }) => ({
    source: hostname,
    text: `ADDRESSES: ${addresses.join(",")}`,
  }),
  MachineStatusEvent: ({ stage, status }) => ({
    source: stageName(stage),
    text:
      `ready: ${status?.ready ?? false}, unmet conditions: ` +
      `[${(status?.unmetConditions ?? []).map(({ name }) => name).join(" ")}]`,
  }),
};

/** One event; of a kind that is not known here nothing can be said. */
export const eventText = (told: Told | undefined): EventText =>
  told === undefined
    ? { source: "", text: "" }
    : (texts[told.name] as (message: Told["message"]) => EventText)(told.message);

/** The fields that are named values, and not numbers to a reader. */
const named: Readonly<Partial<Record<Told["name"], Readonly<Record<string, Names>>>>> = {
  SequenceEvent: { action: SequenceAction },
  PhaseEvent: { action: PhaseAction },
  TaskEvent: { action: TaskAction },
  ServiceStateEvent: { action: ServiceAction },
  MachineStatusEvent: { stage: Stage },
};

/** The message as JSON has it: values by their names, instants as RFC 3339 has them. */
export function eventValue({ name, message }: Told): Record<string, unknown> {
  const fields = Object.entries(message).map(([field, value]: [string, unknown]) => {
    const names = named[name]?.[field];
    return [field, names === undefined ? plain(value) : nameIn(names, value as number)];
  });
  return Object.fromEntries(fields) as Record<string, unknown>;
}

function plain(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
