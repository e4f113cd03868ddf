/** `time.TimeService`: the clock of this node (talosctl-wire.md §2.6, §3.5). */
import { UnsupportedError, type Clock } from "#runtime";
import { InvalidRequestError } from "#runtime/rpc";
import { Time, type TimeServiceServer } from "../rpc/gen/time/time.ts";
import type { Router } from "./router.ts";

/** What a node knows of the time. */
export interface Timekeeping {
  readonly clock: Pick<Clock, "now">;
  /** Who keeps the clock of this machine. */
  readonly source: () => Promise<string>;
}

/**
 * No time server is asked: the machine's own timekeeper has done that, so what it keeps is the
 * reference, and both timestamps are of one look at it. Clients fail on a message without either.
 */
export const timeMethods = (
  router: Router,
  { clock, source }: Timekeeping,
): Pick<TimeServiceServer, "time" | "timeCheck"> => ({
  time: router.unary(Time, async () => {
    const server = await source();
    const now = new Date(clock.now());
    return { server, localtime: now, remotetime: now };
  }),
  timeCheck: router.unary(Time, ({ server }: { server: string }) => {
    if (server === "") throw new InvalidRequestError("the name of a time server is missing");
    throw new UnsupportedError(
      `asking the time server ${JSON.stringify(server)} is not implemented: the clock is kept by ` +
        "the machine, and the time without a server says by whom",
    );
  }),
});
