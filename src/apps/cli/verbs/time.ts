/** `time`: the clocks of the nodes (talosctl-wire.md §2.9). */
import type { Instant } from "#runtime";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";
import { formatTable } from "../output/table.ts";

/** The flags of `time`. */
export interface TimeOptions {
  readonly check?: string;
}

/** Prints a line for each node. */
export const time = (io: Io, { check }: TimeOptions, flags: Connection): Promise<number> =>
  withNodes(io, flags, async (nodes) => {
    const server = check === undefined ? {} : { server: check };
    const answers = await nodes.each((node) => nodes.client.time({ node, ...server }));
    const rows = answers.map(({ node, answer: { server, local, remote } }) => [
      node,
      server,
      goTime(local),
      goTime(remote),
    ]);
    if (rows.length > 0)
      io.stdout.write(
        formatTable([["NODE", "NTP-SERVER", "NODE-TIME", "NTP-SERVER-TIME"], ...rows]),
      );
    return nodes.status();
  });

/** As Go prints an instant, in UTC: fractions only where there are any. */
function goTime(moment: Instant): string {
  const [day = "", clock = ""] = new Date(moment).toISOString().split("T");
  return `${day} ${clock.replace(/(\.\d*?)0*Z$/, (_, fraction: string) => (fraction === "." ? "" : fraction))} +0000 UTC`;
}
