/** Addresses and networks of nodes, as certificates and routing have them (talos-pki.md §6.4). */
import { expect, test } from "vitest";
import {
  canonicalAddress,
  firstAddress,
  inNetworks,
  isAddress,
  isLoopback,
  isNetwork,
  isRoutable,
  sortAddresses,
} from "#config";
import * as pki from "#pki";

test.each(["192.0.2.1", "2001:DB8:0::1", "::ffff:192.0.2.1", "::ffff:c000:201", "::"])(
  "%s is written as in a certificate",
  (text) => {
    expect(isAddress(text)).toBe(true);
    expect(canonicalAddress(text)).toBe(pki.canonicalAddress(text));
  },
);

test.each(["fe80::1%eth0", "1.2.3", "0x7f.0.0.1", "010.0.0.1", "a.example", ""])(
  "%j is no address, here as in a certificate",
  (text) => {
    expect(isAddress(text)).toBe(false);
    expect(pki.canonicalAddress(text)).toBeUndefined();
    expect(() => canonicalAddress(text)).toThrow(TypeError);
    expect([isRoutable(text), isLoopback(text)]).toEqual([false, false]);
  },
);

test("an address that is mapped into IPv6 is the IPv4 address", () => {
  expect(sortAddresses(["::ffff:10.0.0.2", "10.0.0.2", "10.0.0.1"])).toEqual([
    "10.0.0.1",
    "10.0.0.2",
  ]);
  expect(isLoopback("::ffff:127.0.0.1")).toBe(true);
  expect(isRoutable("::ffff:169.254.0.1")).toBe(false);
  expect(inNetworks("::ffff:10.1.2.3", ["10.0.0.0/8"])).toBe(true);
  expect(inNetworks("10.1.2.3", ["::ffff:10.0.0.0/104"])).toBe(true);
});

test.each([
  ["10.0.0.0/8", true],
  ["10.1.2.3/32", true],
  ["fd00::/8", true],
  ["::/0", true],
  ["0.0.0.0/0", true],
  ["10/8", false],
  ["10.0.0.0/33", false],
  ["fd00::/129", false],
  ["10.0.0.0/08", false],
  ["fe80::%eth0/64", false],
  ["::ffff:10.0.0.0/95", false],
  ["10.0.0.0", false],
])("whether %s is a network: %s", (text, is) => {
  expect(isNetwork(text)).toBe(is);
});

test.each([
  ["10.1.2.3", "10.0.0.0/8", true],
  ["11.1.2.3", "10.0.0.0/8", false],
  ["10.5.0.1", "10.4.0.0/15", true],
  ["10.6.0.1", "10.4.0.0/15", false],
  ["192.0.2.1", "0.0.0.0/0", true],
  ["192.0.2.1", "::/0", false],
  ["2001:db8::1", "2001:db8::/33", true],
  ["2001:db8:8000::1", "2001:db8::/33", false],
  ["192.0.2.1", "192.0.2.1/32", true],
  ["192.0.2.1", "garbage", false],
])("whether %s lies in %s: %s", (address, network, lies) => {
  expect(inNetworks(address, [network])).toBe(lies);
});

test.each([
  ["10.96.0.0/12", "10.96.0.1"],
  ["10.96.7.9/12", "10.96.0.1"],
  ["10.0.0.255/32", "10.0.1.0"],
  ["fd00:10:96::/112", "fd00:10:96::1"],
])("the first address of %s is %s", (network, address) => {
  expect(firstAddress(network)).toBe(address);
});

test("IPv4 stands before IPv6, each by number", () => {
  expect(sortAddresses(["fd00::2", "10.0.0.10", "::1", "10.0.0.9"])).toEqual([
    "10.0.0.9",
    "10.0.0.10",
    "::1",
    "fd00::2",
  ]);
});
