/** What members tell and are told: the one that a call is about is the one whose certificate makes it. */
import { Identity } from "#resources";
import { type Clock, type Logger, type Random, seconds } from "#runtime";
import type { Store } from "#runtime/store";
import type { ClusterStore } from "../../node/cluster-store.ts";
import type { WatchNodeResponse } from "../../rpc/gen/node/node.ts";
import type { Membership } from "../membership.ts";
import type { MemberAsker } from "../signer.ts";
import { gone, memberOf } from "./asker.ts";
import { followConcerns, type Concerns } from "./concerns.ts";
import { MemberBusyError } from "./errors.ts";
import { removeMember } from "./removal.ts";
import { openReports, REPORT_EVERY } from "./report.ts";

export interface MembershipOptions {
  readonly cluster: ClusterStore;
  /** Of this node. */
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Where apid of this node listens. */
  readonly apiPort: () => number;
}

/** A membership that follows what it tells of until it is closed. */
export interface OpenMembership extends Membership {
  close(): void;
}

/** Nothing is followed before somebody watches. */
export function openMembership(options: MembershipOptions): OpenMembership {
  const { cluster, clock, log } = options;
  const reports = openReports(clock);
  /** This node did not join, and nobody acts for it, whatever is on record. */
  const memberIn = async (store: Store, asker: MemberAsker) => {
    const member = await memberOf(store, asker);
    const { id } = member.metadata;
    if ((await options.store.get(Identity, "local"))?.spec.nodeId === id) throw gone(id);
    return member;
  };
  const concerns = onceAsked(options);
  return {
    async report(asker, request) {
      const store = await cluster.open();
      await reports.keep(store, await memberIn(store, asker), request);
      return { time: new Date(clock.now()), nextWithin: REPORT_EVERY / seconds(1) };
    },
    async *watch(asker, signal) {
      const store = await cluster.open();
      const { metadata } = await memberIn(store, asker);
      yield* told(await concerns.open(store), metadata.id, clock, signal);
    },
    async leave(asker) {
      const store = await cluster.open();
      const member = await memberIn(store, asker);
      const { hostname } = member.spec;
      await removeMember(store, member, { clock, reason: `${hostname} has left the cluster` });
      log.info({ nodeId: member.metadata.id, hostname, peer: asker.peer }, "a member has left");
    },
    close: () => concerns.close(),
  };
}

/** The whole of it, each time. */
async function* told(
  concerns: Concerns,
  nodeId: string,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<WatchNodeResponse> {
  const seat = concerns.seat(nodeId, signal);
  try {
    while (!signal.aborted) {
      if (seat.isTaken)
        throw new MemberBusyError(
          `node ${nodeId} watches from elsewhere too, more than there is use in`,
        );
      const concern = concerns.of(nodeId);
      if (concern === undefined) throw gone(nodeId);
      yield { ...concern, time: new Date(clock.now()) };
      await seat.next();
    }
  } finally {
    seat.leave();
  }
}

/** What concerns members, followed from the first question on. */
function onceAsked(options: MembershipOptions) {
  let opened: Promise<Concerns> | undefined;
  return {
    open: (cluster: Store) =>
      (opened ??= followConcerns({ ...options, cluster, own: options.store })),
    close: () => void opened?.then((concerns) => concerns.close()),
  };
}
