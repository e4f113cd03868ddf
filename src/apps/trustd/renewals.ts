/** How often a member may renew: each time is two signatures, and a commit that all others wait for. */
import { instantOf, rfc3339, seconds, type Clock, type Instant } from "#runtime";
import { Buckets, type Rate } from "./buckets.ts";
import { MemberBusyError } from "./members/errors.ts";

/** Ten at once, then one a minute; a node renews a few times a day. */
const MEMBER: Rate = { burst: 10, perSecond: 1 / 60 };

/** The limit. */
export interface Renewals {
  /**
   * Counts one that is no repeat of an answered one, before it costs anything.
   *
   * @throws {MemberBusyError} saying when there is another one
   */
  count(nodeId: string): void;
}

/** Starts with nothing counted. */
export function openRenewals(clock: Clock): Renewals {
  const members = new Buckets(MEMBER, clock);
  return {
    count(nodeId) {
      if (members.take(nodeId)) return;
      const next = rfc3339(wholeSecondFrom(members.nextOf(nodeId)));
      throw new MemberBusyError(
        `node ${nodeId} asks for certificates more often than there is use in: it may again at ${next}`,
      );
    },
  };
}

const wholeSecondFrom = (moment: Instant): Instant =>
  instantOf(Math.ceil(moment / seconds(1)) * seconds(1));
