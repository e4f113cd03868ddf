/**
 * What those who are refused are held to. Refusals are counted and successes are not, and what others
 * were refused has nobody refused: it makes looking at requests slower, for those who ask from the same
 * place only, and not for who asks on a connection on which nothing was refused.
 */
import type { Clock } from "#runtime";
import { Buckets, type Rate } from "./buckets.ts";
import { RefusalsExhaustedError } from "./errors.ts";
import { openPlaces } from "./places.ts";

/** Refusals of one address, in their own words; those beyond are told only that there were too many. */
const PEER: Rate = { burst: 20, perSecond: 1 };
/** How long refusals are behind an address: one of them is forgotten each minute. */
const SUSPECT: Rate = { burst: 20, perSecond: 1 / 60 };
/** Handshakes of an address that has as many refusals behind it: never 200 in any second. */
const HANDSHAKES: Rate = { burst: 9, perSecond: 190 };
/** Requests with a right token of one address that were refused all the same. */
const TOKEN_OF_PEER: Rate = { burst: 20, perSecond: 1 };
/** With as many behind it: how many of them are looked at, whatever comes of it. */
const WORK: Rate = { burst: 20, perSecond: 20 };
/** Besides, those of each connection until so many were refused: new ones are held to {@link HANDSHAKES}. */
const CONNECTION: Rate = { burst: 2, perSecond: 1 / 60 };

/** The limits. */
export interface Limits {
  /** Before a handshake costs anything: whether it may go on. */
  mayShakeHands(host: string): boolean;
  /**
   * Before a request with a right token costs more than to look up what is known: why it is not looked at.
   *
   * @param peer address and port
   */
  objectionTo(peer: string, token: string): RefusalsExhaustedError | undefined;
  /**
   * Counts a refusal.
   *
   * @param peer address and port
   * @param token the name of a right token that it was refused with; undefined when there was none
   * @returns what it is answered with: the reason, or that there were too many
   */
  refused(peer: string, token: string | undefined, reason: Error): Error;
  /** Where a peer is: the refusals of all who are there are counted together. */
  readonly placeOf: (peer: string) => string;
}

// There are thousands of them: a trace for each would cost more than all the rest.
const ofToken = new RefusalsExhaustedError("address with this token");
const ofAddress = new RefusalsExhaustedError("address");

/** Starts with nothing counted. */
export function openLimits(clock: Clock): Limits {
  const peers = new Buckets(PEER, clock);
  const suspects = new Buckets(SUSPECT, clock);
  const handshakes = new Buckets(HANDSHAKES, clock);
  const tokensOfPeers = new Buckets(TOKEN_OF_PEER, clock);
  const connections = new Buckets(CONNECTION, clock);
  const work = new Buckets(WORK, clock);
  const places = openPlaces();
  const both = (peer: string, token: string) => `${token} ${places.ofPeer(peer)}`;
  return {
    mayShakeHands(host) {
      const place = places.ofHost(host);
      return !suspects.isEmpty(place) || handshakes.take(place);
    },
    objectionTo(peer, token) {
      const pair = both(peer, token);
      if (!tokensOfPeers.isEmpty(pair) || !connections.isEmpty(peer)) return undefined;
      return work.take(pair) ? undefined : ofToken;
    },
    refused(peer, token, reason) {
      const place = places.ofPeer(peer);
      const isWithin = peers.take(place);
      suspects.take(place);
      if (token === undefined) return isWithin ? reason : ofAddress;
      tokensOfPeers.take(both(peer, token));
      connections.take(peer);
      return reason; // the limit of the token speaks for itself the next time
    },
    placeOf: places.ofPeer,
  };
}
