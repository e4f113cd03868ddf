/** `events`: what happens on the nodes (talosctl-wire.md §2.6, §2.9). */
import { readDuration } from "#config/talosconfig";
import type { EventsRequest, Happening } from "../../client/index.ts";
import { UsageError } from "../errors.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";
import { eventText, eventValue } from "../output/event.ts";
import { compactJson } from "../output/json.ts";
import { openTable } from "../output/table.ts";

/** The flags of `events`. */
export interface EventsOptions {
  readonly tail?: number;
  /** As Go writes durations. */
  readonly duration?: string;
  readonly since?: string;
  readonly actorId?: string;
  readonly output: "table" | "json";
}

/** Prints them as they come. */
export async function events(io: Io, options: EventsOptions, flags: Connection): Promise<number> {
  const request = requestOf(options);
  return withNodes(io, flags, async (nodes) => {
    const signal = io.interruption();
    const print = printers[options.output](io);
    await nodes.each(async (node) => {
      for await (const event of nodes.client.events(request, { node, signal }))
        if (event.type === "happened") print(node, event);
    });
    return nodes.status();
  });
}

/** @throws {UsageError} for two ways to look back */
function requestOf({ tail, duration, since, actorId }: EventsOptions): EventsRequest {
  if ([tail, duration, since].filter((each) => each !== undefined).length > 1)
    throw new UsageError("only one of --tail, --duration and --since can be given");
  return {
    ...(tail !== undefined && { tail }),
    ...(duration !== undefined && { duration: readDuration(duration) ?? 0 }),
    ...(since !== undefined && { since }),
    ...(actorId !== undefined && { actorId }),
  };
}

type Print = (node: string, event: Happening) => void;

const printers: Readonly<Record<EventsOptions["output"], (io: Io) => Print>> = {
  /** Two lines an event, as talosctl has it. */
  table({ stdout }) {
    const table = openTable();
    stdout.write(table.rows(["NODE", "ID", "EVENT", "ACTOR", "SOURCE", "MESSAGE"]));
    return (node, { id, typeUrl, actorId, told }) => {
      const { source, text } = eventText(told);
      stdout.write(table.rows([node, id, typeUrl], [actorId, source, text]));
    };
  },
  /** One line an event. */
  json:
    ({ stdout }) =>
    (node, { id, typeUrl, actorId, told }) => {
      const message = told === undefined ? {} : eventValue(told);
      stdout.write(`${compactJson({ node, id, event: typeUrl, actor: actorId, message })}\n`);
    },
};
