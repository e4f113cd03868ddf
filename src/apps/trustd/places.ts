/** Where calls come from, as far as one place is told from another. */
import { addressOctets } from "#pki";
import { addressOfHost, addressOfPeer } from "./admission/strict.ts";

/** Who has an address of IPv6 has the network of 64 bits that it is in; an IPv4 within is by itself. */
function placeOf(address: string): string {
  const octets = addressOctets(address);
  return octets?.length === 16 ? `${Buffer.from(octets).toString("hex", 0, 8)}/64` : address;
}

/** Finds places; what was asked lately is known. */
export interface Places {
  /** @param peer address and port */
  readonly ofPeer: (peer: string) => string;
  /** @param host an address without a port, which may stand in brackets */
  readonly ofHost: (host: string) => string;
}

/** Starts with none known. */
export const openPlaces = (): Places => ({
  ofPeer: knownLately((peer) => placeOf(addressOfPeer(peer))),
  ofHost: knownLately((host) => placeOf(addressOfHost(host))),
});

/** As many are in mind. */
const KNOWN_MAX = 4096;

/** What was found out of a text is asked again soon. */
function knownLately(find: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    if (known.size >= KNOWN_MAX) known.clear();
    const found = find(text);
    known.set(text, found);
    return found;
  };
}
