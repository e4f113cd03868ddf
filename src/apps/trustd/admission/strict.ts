/** Strict joining: an address is certified for who has it. */
import { canonicalAddress } from "#pki";
import { isLoopback } from "#config";
import { hostKey, namesAt, type Names } from "./names.ts";
import type { Objection } from "./objection.ts";
import type { Standing } from "./standing.ts";

/**
 * Finds the first address that is neither the peer's own nor already the member's.
 *
 * @param peer address and port
 * @param own addresses that the member is on record with
 */
export function foreignAddress(
  names: Names,
  peer: string,
  own: readonly string[],
  { nobodys }: Pick<Standing, "nobodys">,
): Objection | undefined {
  const mine = new Set([addressOfPeer(peer), ...own.map(hostKey)]);
  for (const { field, name } of namesAt(names)) {
    const key = hostKey(name);
    if (canonicalAddress(key) === undefined) continue; // a name
    if (mine.has(key) || nobodys().has(key) || isLoopback(key)) continue;
    return {
      rule: "strict join",
      field,
      problem: `${name} is neither the address that is asked from, ${addressOfPeer(peer)}, nor on record as the member's`,
    };
  }
  return undefined;
}

/** The address alone, in canonical text. */
export const addressOfPeer = (peer: string): string =>
  addressOfHost(peer.slice(0, peer.lastIndexOf(":")));

/** The same of an address without a port, which may stand in brackets. */
export const addressOfHost = (host: string): string => hostKey(host.replace(/^\[(.*)\]$/, "$1"));
