/**
 * IP addresses and networks as text: order, membership, what they are for (talos-pki.md §6.4). What
 * an address is, and how it is written, says `#pki`, which puts them into certificates: one mapped
 * into IPv6 is the IPv4 address, and one with a zone is none.
 */
import ipaddr from "ipaddr.js";
import { addressOctets, addressText } from "#pki";

/** Tells whether a text is an IPv4 or IPv6 address. */
export const isAddress = (text: string): boolean => addressOctets(text) !== undefined;

/**
 * The one form of an address that is compared and printed (RFC 5952).
 *
 * @throws {TypeError} unless {@link isAddress}
 */
export const canonicalAddress = (text: string): string => addressText(octetsOf(text));

/** Loopback, link-local, multicast and unspecified addresses say nothing about where a node is. */
export const isRoutable = (text: string): boolean =>
  isAddress(text) &&
  !["loopback", "linkLocal", "multicast", "unspecified"].includes(rangeOf(octetsOf(text)));

/** Tells whether an address is of this host only. */
export const isLoopback = (text: string): boolean =>
  isAddress(text) && rangeOf(octetsOf(text)) === "loopback";

const rangeOf = (octets: Uint8Array): string => ipaddr.fromByteArray([...octets]).range();

function octetsOf(text: string): Uint8Array {
  const octets = addressOctets(text);
  if (octets === undefined) throw new TypeError(`${JSON.stringify(text)} is not an IP address`);
  return octets;
}

/** Tells whether a text is a network in CIDR form. */
export const isNetwork = (text: string): boolean => networkOf(text) !== undefined;

interface Network {
  readonly base: Uint8Array;
  /** How many bits of it are the network's. */
  readonly bits: number;
}

/** @see RFC 4632 §3.1, RFC 4291 §2.3 */
function networkOf(text: string): Network | undefined {
  const [, address = "", digits = ""] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const base = addressOctets(address);
  if (base === undefined) return undefined;
  // Of a network of mapped addresses, the first 96 bits say that they are mapped.
  const bits = Number(digits) - (address.includes(":") && base.length === 4 ? 96 : 0);
  return bits >= 0 && bits <= base.length * 8 ? { base, bits } : undefined;
}

/** Tells whether an address lies in one of the networks; what is not a network holds nothing. */
export function inNetworks(address: string, networks: readonly string[]): boolean {
  const octets = addressOctets(address);
  if (octets === undefined) return false;
  return networks.some((text) => {
    const network = networkOf(text);
    return (
      network?.base.length === octets.length &&
      compareBytes(hostless(octets, network.bits), hostless(network.base, network.bits)) === 0
    );
  });
}

/** An address without the bits of the host. */
const hostless = (octets: Uint8Array, bits: number): Uint8Array =>
  octets.map((octet, i) => octet & ~(0xff >> Math.min(Math.max(bits - 8 * i, 0), 8)));

/**
 * The first address of a network that a host may have: the network's address plus one.
 *
 * @throws {TypeError} unless {@link isNetwork}
 */
export function firstAddress(text: string): string {
  const network = networkOf(text);
  if (network === undefined) throw new TypeError(`${JSON.stringify(text)} is not a network`);
  const octets = hostless(network.base, network.bits);
  for (let i = octets.length - 1; i >= 0; i--) {
    octets[i] = ((octets[i] ?? 0) + 1) & 0xff;
    if (octets[i] !== 0) break;
  }
  return addressText(octets);
}

/**
 * Canonical, without repeats, IPv4 before IPv6, each by number.
 *
 * @throws {TypeError} when one of them is no address
 */
export function sortAddresses(addresses: readonly string[]): string[] {
  const parsed = addresses.map(octetsOf).sort(compareBytes).map(addressText);
  return [...new Set(parsed)];
}

const compareBytes = (left: Uint8Array, right: Uint8Array): number =>
  left.length - right.length || Buffer.compare(left, right);

/** Names without trailing dots, empty ones and repeats, sorted by their bytes. */
export const sortNames = (names: readonly string[]): string[] =>
  [...new Set(names.map((name) => name.replace(/\.+$/, "")))]
    .filter((name) => name !== "")
    .sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
