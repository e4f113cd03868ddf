/** `health`: what a node says of itself while it is waited for (talosctl-wire.md §2.6). */
import { readDuration } from "#config/talosconfig";
import { UsageError } from "../errors.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";

/** The flags of `health`. */
export interface HealthOptions {
  /** As Go writes durations. */
  readonly waitTimeout: string;
  readonly server: boolean;
  readonly controlPlaneNodes?: readonly string[];
  readonly workerNodes?: readonly string[];
}

/** Prints the progress on stderr. */
export function health(io: Io, options: HealthOptions, flags: Connection): Promise<number> {
  const { waitTimeout, server, controlPlaneNodes = [], workerNodes = [] } = options;
  if (!server)
    throw new UsageError(
      "health is checked by the node: --server=false would look at Kubernetes, and nothing here does",
    );
  return withNodes(io, flags, async (nodes) => {
    const node = nodes.single("health");
    const request = {
      timeout: readDuration(waitTimeout) ?? 0,
      controlPlanes: controlPlaneNodes,
      workers: workerNodes,
    };
    const signal = io.interruption();
    await nodes.each(async () => {
      for await (const line of nodes.client.checkHealth(request, { node, signal }))
        io.stderr.write(`${line}\n`);
    });
    return nodes.status();
  });
}
