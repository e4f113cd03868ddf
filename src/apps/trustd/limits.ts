/**
 * What those who are refused are held to. Refusals are counted and successes are not: a right token is
 * served from an address that others have been refused at.
 */
import type { Clock } from "#runtime";
import { Buckets, type Rate } from "./buckets.ts";
import { RefusalsExhaustedError } from "./errors.ts";

/** Refusals of one address, in their own words; those beyond are told only that there were too many. */
const PEER: Rate = { burst: 20, perSecond: 1 };
/** How long refusals are behind an address: one of them is forgotten each minute. */
const SUSPECT: Rate = { burst: 20, perSecond: 1 / 60 };
/** Handshakes of an address that has as many refusals behind it: never 200 in any second. */
const HANDSHAKES: Rate = { burst: 9, perSecond: 190 };
/** Requests with a right token of one address that were refused all the same. */
const TOKEN_OF_PEER: Rate = { burst: 20, perSecond: 1 };
/** The same of all addresses together. */
const TOKEN: Rate = { burst: 400, perSecond: 40 };

/** The limits. */
export interface Limits {
  /** Before a handshake costs anything: whether it may go on. */
  mayShakeHands(address: string): boolean;
  /** Before a request with a right token costs anything: why it is not even looked at. */
  objectionTo(address: string, token: string): RefusalsExhaustedError | undefined;
  /**
   * Counts a refusal.
   *
   * @param token the name of a right token that it was refused with; undefined when there was none
   * @returns what it is answered with: the reason, or that there were too many
   */
  refused(address: string, token: string | undefined, reason: Error): Error;
}

// There are thousands of them: a trace for each would cost more than all the rest.
const ofToken = new RefusalsExhaustedError("token");
const ofAddress = new RefusalsExhaustedError("address");

/** Starts with nothing counted. */
export function openLimits(clock: Clock): Limits {
  const peers = new Buckets(PEER, clock);
  const suspects = new Buckets(SUSPECT, clock);
  const handshakes = new Buckets(HANDSHAKES, clock);
  const tokensOfPeers = new Buckets(TOKEN_OF_PEER, clock);
  const tokens = new Buckets(TOKEN, clock);
  const both = (address: string, token: string) => `${token} ${address}`;
  return {
    mayShakeHands: (address) => !suspects.isEmpty(address) || handshakes.take(address),
    objectionTo: (address, token) =>
      tokensOfPeers.isEmpty(both(address, token)) || tokens.isEmpty(token) ? ofToken : undefined,
    refused(address, token, reason) {
      const isWithin = peers.take(address);
      suspects.take(address);
      if (token !== undefined) {
        tokensOfPeers.take(both(address, token));
        tokens.take(token);
        return reason; // the limit of the token speaks for itself the next time
      }
      return isWithin ? reason : ofAddress;
    },
  };
}
