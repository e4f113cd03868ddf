/** `reboot`, `shutdown` and `reset` (talosctl-wire.md §2.8). */
import { readDuration } from "#config/talosconfig";
import type { RebootMode } from "../../client/index.ts";
import { holdProcess } from "../../node/lifetime.ts";
import { awaitReboot, awaitShutdown, type Waiting } from "../await-ending.ts";
import { UsageError } from "../errors.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes, type Nodes } from "../nodes.ts";
import { printable } from "../output/table.ts";

interface WaitOptions {
  readonly wait: boolean;
  /** As Go writes durations. */
  readonly timeout: string;
}

/** The flags of `reboot`. */
export interface RebootOptions extends WaitOptions {
  readonly mode: RebootMode;
}

/** The flags of `shutdown`. */
export interface ShutdownOptions extends WaitOptions {
  readonly force: boolean;
}

/** The flags of `reset`. */
export interface ResetOptions extends WaitOptions {
  readonly graceful: boolean;
  readonly reboot: boolean;
}

/** Starts the nodes anew, all at once. */
export const reboot = (io: Io, options: RebootOptions, flags: Connection): Promise<number> =>
  withNodes(io, flags, ({ client, ...nodes }) => {
    const ask = (node: string) => client.reboot(options, { node });
    return each(nodes, io, options, {
      ask,
      wait: (node, waiting) => awaitReboot(client, node, () => ask(node), waiting),
    });
  });

/** Ends the nodes, all at once. */
export const shutdown = (io: Io, options: ShutdownOptions, flags: Connection): Promise<number> =>
  withNodes(io, flags, ({ client, ...nodes }) => {
    const ask = (node: string) => client.shutdown(options, { node });
    return each(nodes, io, options, {
      ask,
      wait: (node, waiting) => awaitShutdown(client, node, () => ask(node), waiting),
    });
  });

/**
 * Wipes the nodes, all at once.
 *
 * @throws {UsageError} when nobody named the one that is to be wiped come what may
 */
export async function reset(io: Io, options: ResetOptions, flags: Connection): Promise<number> {
  if (!options.graceful && (flags.nodes ?? []).length === 0)
    throw new UsageError("--graceful=false needs -n: name the node that loses all that it has");
  return withNodes(io, flags, ({ client, ...nodes }) => {
    const ask = (node: string) => client.reset(options, { node });
    return each(nodes, io, options, {
      ask,
      wait: (node, waiting) => awaitShutdown(client, node, () => ask(node), waiting),
    });
  });
}

async function each(
  nodes: Pick<Nodes, "each" | "status">,
  io: Io,
  { wait, timeout }: WaitOptions,
  doing: {
    readonly ask: (node: string) => Promise<unknown>;
    readonly wait: (node: string, waiting: Waiting) => Promise<void>;
  },
): Promise<number> {
  if (!wait) {
    await nodes.each(doing.ask);
    return nodes.status();
  }
  const letGo = holdProcess(); // between two tries there is nothing else that does
  const waiting = {
    clock: io.clock,
    signal: io.interruption(),
    timeout: readDuration(timeout) ?? 0,
  };
  try {
    await nodes.each((node) => {
      const tell = (text: string) => io.stderr.write(`${node}: ${printable(text)}\n`);
      return doing.wait(node, { ...waiting, tell });
    });
  } finally {
    letGo();
  }
  return nodes.status();
}
