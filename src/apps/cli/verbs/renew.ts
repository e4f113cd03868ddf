/** `renew` and `rekey`: what was issued, node by node. */
import { UsageError } from "../errors.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";
import { formatTable } from "../output/table.ts";
import { timeText } from "../output/time-text.ts";

/** Issues leaves anew and prints them. */
export async function renew(
  io: Io,
  { ids, all, newKey }: { ids: readonly string[]; all: boolean; newKey: boolean },
  flags: Connection,
): Promise<number> {
  if (all === ids.length > 0)
    throw new UsageError("name the certificates that are renewed, or say --all, and not both");
  return withNodes(io, flags, async (nodes) => {
    const answers = await nodes.each((node) => nodes.client.renew({ ids, newKey }, { node }));
    const rows = answers.flatMap(({ node, answer }) =>
      answer.map(({ id, serialNumber, notAfter }) => [node, id, serialNumber, timeText(notAfter)]),
    );
    if (answers.length > 0)
      io.stdout.write(formatTable([["NODE", "ID", "SERIAL NUMBER", "NOT AFTER"], ...rows]));
    return nodes.status();
  });
}
