/** `get`: resources of the nodes, once or as they change (talosctl-wire.md §2.1, §4). */
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { DEFINITIONS, resolveKind } from "../kinds.ts";
import { withNodes, type Nodes } from "../nodes.ts";
import { openPrinter, type Item, type OutputFormat, type Printer } from "../output/printer.ts";

/** The flags of `get`. */
export interface GetOptions {
  readonly output?: OutputFormat;
  readonly watch?: boolean;
  readonly namespace?: string;
}

interface Place {
  readonly namespace: string;
  readonly type: string;
  readonly id: string | undefined;
}

/** Prints the resources of a kind, or one of them. */
export const get = (
  io: Io,
  question: GetOptions & { readonly kind: string; readonly id: string | undefined },
  flags: Connection,
): Promise<number> =>
  withNodes(io, flags, async (nodes) => {
    const definitions = await nodes.any((node) => nodes.client.list(DEFINITIONS, { node }));
    const { output = "table", watch: watching = false, id } = question;
    const kind = resolveKind(question.kind, definitions, id);
    const printer = openPrinter(output, kind, io, watching);
    const namespace = question.namespace ?? kind.defaultNamespace;
    const place: Place = { namespace, type: kind.type, id };
    return watching ? watch(nodes, place, printer, io.interruption()) : list(nodes, place, printer);
  });

/** All nodes are asked at once, and printed in their order; nothing when none has an answer. */
async function list(nodes: Nodes, place: Place, printer: Printer): Promise<number> {
  const { id, ...kind } = place;
  const answers = await nodes.each(async (node) =>
    id === undefined
      ? nodes.client.list(kind, { node })
      : [await nodes.client.get({ ...kind, id }, { node })],
  );
  const items = answers.flatMap(({ node, answer }) =>
    answer.map((resource): Item => ({ heading: { node }, resource })),
  );
  if (answers.length > 0) for (const failure of printer.print(items)) nodes.fail(failure);
  return nodes.status();
}

/** Prints nothing of a node before all that it has is there; then each change at once. */
async function watch(
  nodes: Nodes,
  { id, ...kind }: Place,
  printer: Printer,
  signal: AbortSignal,
): Promise<number> {
  await nodes.each(async (node) => {
    const place = id === undefined ? kind : { ...kind, id };
    let collected: Item[] | undefined = id === undefined ? [] : undefined;
    for await (const event of nodes.client.watch(place, { node, signal })) {
      if (event.type === "bootstrapped") {
        print(collected ?? []);
        collected = undefined;
        continue;
      }
      const item: Item = { heading: { node, event: event.type }, resource: event.resource };
      if (collected === undefined) print([item]);
      else collected.push(item);
    }
  });
  return nodes.status();

  /** While watching, what cannot be printed ends the watch of its node. */
  function print(items: readonly Item[]): void {
    const [failure] = printer.print(items);
    if (failure !== undefined) throw failure;
  }
}
