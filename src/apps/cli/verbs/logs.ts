/** `logs`: lines of a log of the nodes (talosctl-wire.md §2.6, §2.9). */
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";
import { printable } from "../output/table.ts";

/** The flags of `logs`. */
export interface LogsOptions {
  readonly follow: boolean;
  readonly tail: number;
  readonly kubernetes: boolean;
}

/** Prints them as they come, each with its node. */
export const logs = (
  io: Io,
  request: LogsOptions & { readonly id: string },
  flags: Connection,
): Promise<number> =>
  withNodes(io, flags, async (nodes) => {
    const signal = io.interruption();
    await nodes.each(async (node) => {
      for await (const line of nodes.client.logs(request, { node, signal }))
        io.stdout.write(`${node}: ${line.split("\t").map(printable).join("\t")}\n`);
    });
    return nodes.status();
  });
