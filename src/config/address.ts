/**
 * IP addresses and networks as text: canonical form, order, membership (talos-pki.md §6.4).
 */
import ipaddr from "ipaddr.js";

/** Tells whether a text is an IPv4 or IPv6 address. */
export const isAddress = (text: string): boolean =>
  text.includes(":") ? ipaddr.IPv6.isValid(text) : ipaddr.IPv4.isValidFourPartDecimal(text);

/** The one form of an address that is compared and printed (RFC 5952). */
export const canonicalAddress = (text: string): string => ipaddr.parse(text).toString();

/** Loopback, link-local, multicast and unspecified addresses say nothing about where a node is. */
export const isRoutable = (text: string): boolean =>
  !["loopback", "linkLocal", "multicast", "unspecified"].includes(ipaddr.parse(text).range());

/** Tells whether an address is of this host only. */
export const isLoopback = (text: string): boolean => ipaddr.parse(text).range() === "loopback";

/** Tells whether a text is a network in CIDR form. */
export const isNetwork = (text: string): boolean => ipaddr.isValidCIDR(text);

/** Tells whether an address lies in one of the networks; what is not a network holds nothing. */
export function inNetworks(address: string, networks: readonly string[]): boolean {
  const parsed = ipaddr.parse(address);
  return networks.filter(isNetwork).some((network) => {
    const [base, bits] = ipaddr.parseCIDR(network);
    return base.kind() === parsed.kind() && parsed.match([base, bits] as [ipaddr.IPv4, number]);
  });
}

/** The first address of a network that a host may have: the network's address plus one. */
export function firstAddress(network: string): string {
  const [base, bits] = ipaddr.parseCIDR(network);
  const bytes = base.toByteArray();
  for (let bit = bits; bit < bytes.length * 8; bit++) {
    const index = bit >> 3;
    bytes[index] = (bytes[index] ?? 0) & ~(0x80 >> (bit & 7));
  }
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = ((bytes[i] ?? 0) + 1) & 0xff;
    if (bytes[i] !== 0) break;
  }
  return ipaddr.fromByteArray(bytes).toString();
}

/** Canonical, without repeats, IPv4 before IPv6, each by number. */
export function sortAddresses(addresses: readonly string[]): string[] {
  const parsed = new Map(addresses.map((text) => [canonicalAddress(text), ipaddr.parse(text)]));
  return [...parsed]
    .sort(([, left], [, right]) => compareBytes(left.toByteArray(), right.toByteArray()))
    .map(([text]) => text);
}

const compareBytes = (left: number[], right: number[]): number =>
  left.length - right.length ||
  (left.map((byte, i) => byte - (right[i] ?? 0)).find((difference) => difference !== 0) ?? 0);

/** Names without trailing dots, empty ones and repeats, sorted by their bytes. */
export const sortNames = (names: readonly string[]): string[] =>
  [...new Set(names.map((name) => name.replace(/\.+$/, "")))]
    .filter((name) => name !== "")
    .sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
