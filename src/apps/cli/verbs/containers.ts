/** `containers`: what runs in containers (talosctl-wire.md §3.4). */
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";
import { formatTable } from "../output/table.ts";

/** Prints a line for each container. */
export const containers = (io: Io, flags: Connection): Promise<number> =>
  withNodes(io, flags, async (nodes) => {
    const answers = await nodes.each((node) => nodes.client.containers({ node }));
    const rows = answers.flatMap(({ node, answer }) =>
      answer.map(({ namespace, id, image, pid, status }) =>
        [node, namespace, id, image, pid, status].map(String),
      ),
    );
    if (answers.length > 0)
      io.stdout.write(
        formatTable([["NODE", "NAMESPACE", "ID", "IMAGE", "PID", "STATUS"], ...rows]),
      );
    return nodes.status();
  });
