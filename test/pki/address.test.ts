import { isIP } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { addressOctets, canonicalAddress, isDnsName } from "#pki";

test.each([
  ["192.0.2.10", "192.0.2.10"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["::", "::"],
  ["1::", "1::"],
  ["fe80:0:0:0:0:0:0:0", "fe80::"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::ffff:c000:0201", "192.0.2.1"],
])("RFC 5952: %s is %s", (text, canonical) => {
  expect(canonicalAddress(text)).toBe(canonical);
});

test.each([
  "",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.256",
  "01.2.3.4",
  "1.2.3.4/24",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7::8",
  "fe80::1%eth0",
  "12345::",
  "1.2.3.4::",
  "example.com",
])("%j is no address", (text) => {
  expect(addressOctets(text)).toBeUndefined();
});

test("whatever Node.js takes for an address is one, and nothing else", () => {
  const textual = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string({ unit: fc.constantFrom(..."0123456789abcdef:.".split("")), maxLength: 24 }),
  );
  fc.assert(
    fc.property(textual, (text) => {
      expect(canonicalAddress(text) !== undefined).toBe(isIP(text) !== 0);
      const canonical = canonicalAddress(text);
      if (canonical !== undefined) expect(canonicalAddress(canonical)).toBe(canonical);
    }),
    { seed: 1, numRuns: 20_000 },
  );
});

test.each(["a", "a.example", "*.a.example", "node_1.example", "1a.2b", "xn--zrich-kva.example"])(
  "%s can be certified",
  (text) => expect(isDnsName(text)).toBe(true),
);

test.each([
  "",
  ".",
  "a.",
  ".a",
  "a..b",
  "-a",
  "a-",
  "a b",
  "*",
  "a.*.b",
  "*a.b",
  "ü.example",
  "1.2.3",
  "a/b",
  "a\0b",
  "a\n",
  `${"a".repeat(64)}.b`,
  "a.".repeat(127) + "aa",
])("%j cannot be certified", (text) => {
  expect(isDnsName(text)).toBe(false);
});
