/** `read`: a file of one node, byte by byte (talosctl-wire.md §2.8). */
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";

/** Prints the file. */
export const read = (io: Io, path: string, flags: Connection): Promise<number> =>
  withNodes(io, flags, async (nodes) => {
    const node = nodes.single("read");
    const signal = io.interruption();
    await nodes.each(async () => {
      for await (const bytes of nodes.client.read(path, { node, signal })) io.stdout.write(bytes);
    });
    return nodes.status();
  });
