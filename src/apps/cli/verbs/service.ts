/** `service`: the services of the nodes (talosctl-wire.md §2.6, §2.9). */
import type { Instant } from "#runtime";
import type { Client, NodeService } from "../../client/index.ts";
import { ArgumentError } from "../errors.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes, type Answer, type Nodes } from "../nodes.ts";
import { formatElapsed } from "../output/elapsed.ts";
import { formatTable } from "../output/table.ts";

/** What can be done with a service. */
export type ServiceAction = "start" | "stop" | "restart" | "status";

type Doing = (client: Client, id: string, node: string) => Promise<string>;

const doings: Readonly<Record<Exclude<ServiceAction, "status">, Doing>> = {
  start: (client, id, node) => client.startService(id, { node }),
  stop: (client, id, node) => client.stopService(id, { node }),
  restart: (client, id, node) => client.restartService(id, { node }),
};

const health = { unknown: "?", healthy: "OK", failing: "Fail" } as const;

/** Prints the services, or what has become of one; or does something with it. */
export const service = (
  io: Io,
  { id, action }: { readonly id: string | undefined; readonly action: ServiceAction },
  flags: Connection,
): Promise<number> =>
  withNodes(io, flags, async (nodes) => {
    const write = (rows: readonly (readonly string[])[]) => io.stdout.write(formatTable(rows));
    if (id === undefined) await list(nodes, io, write);
    else if (action === "status") await one(nodes, id, io, write);
    else {
      const answers = await nodes.each((node) => doings[action](nodes.client, id, node));
      if (answers.length > 0)
        write([["NODE", "RESPONSE"], ...answers.map(({ node, answer }) => [node, answer])]);
    }
    return nodes.status();
  });

type Write = (rows: readonly (readonly string[])[]) => void;

async function list(nodes: Nodes, { clock }: Io, write: Write): Promise<void> {
  const answers = await nodes.each((node) => nodes.client.services({ node }));
  if (answers.length === 0) return;
  const now = clock.now();
  const rows = answers.flatMap(({ node, answer }) =>
    answer.map(({ id, state, events, ...of }) => {
      const last = events.at(-1);
      const changed = last === undefined ? " ago" : since(last.at, now);
      return [node, id, state, health[of.health], changed, last?.message ?? "<none>"];
    }),
  );
  write([["NODE", "SERVICE", "STATE", "HEALTH", "LAST CHANGE", "LAST EVENT"], ...rows]);
}

async function one(nodes: Nodes, id: string, { clock }: Io, write: Write): Promise<void> {
  const answers = await nodes.each(async (node) => {
    const services = await nodes.client.services({ node });
    const found = services.find((each) => each.id === id);
    if (found !== undefined) return found;
    const ids = services.map((each) => each.id).join(", ");
    throw new ArgumentError(`service ${JSON.stringify(id)} is not on the node: there is ${ids}`);
  });
  for (const answer of answers) write(lines(answer, clock.now()));
}

/** Events newest first. */
function lines({ node, answer }: Answer<NodeService>, now: Instant): (readonly string[])[] {
  const { id, state, events, healthMessage } = answer;
  const told = events.map(
    (event) => `[${event.state}]: ${event.message} (${since(event.at, now)})`,
  );
  return [
    ["NODE", node],
    ["ID", id],
    ["STATE", state],
    ["HEALTH", health[answer.health]],
    ...(healthMessage === "" ? [] : [["LAST HEALTH MESSAGE", healthMessage]]),
    ...told.reverse().map((text, i) => [i === 0 ? "EVENTS" : "", text]),
  ];
}

const since = (moment: Instant, now: Instant): string => `${formatElapsed(now - moment)} ago`;
