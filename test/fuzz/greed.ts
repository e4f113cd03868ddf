/** What a well-formed request may ask for that nobody gets, or that is no name at all. */
import {
  boolean,
  element,
  flags,
  natural,
  nothing,
  octetString,
  oid,
  sequence,
  setOf,
  string,
} from "../../src/pki/der/writer.ts";
import type { Chance } from "./chance.ts";

const utf8 = (text: string) => string(0x0c, text);
const ia5 = (text: string) => string(0x16, text);
const attribute = (type: string, value: Uint8Array) => sequence(oid(type), value);
const extension = (type: string, value: Uint8Array) => sequence(oid(type), octetString(value));
const critical = (type: string, value: Uint8Array) =>
  sequence(oid(type), boolean(true), octetString(value));
const times = (count: number, make: (index: number) => Uint8Array) =>
  Array.from({ length: count }, (_, i) => make(i));

const [O, CN, OU, COUNTRY, EMAIL] = [
  ...["2.5.4.10", "2.5.4.3", "2.5.4.11", "2.5.4.6", "1.2.840.113549.1.9.1"],
] as const;
const SAN = "2.5.29.17";
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/** What names are tried with. */
export const oddTexts: readonly string[] = [
  ...["", ".", "*", "*.", "*.example", "a.*.example", "**.example", "a.example.", ".a.example"],
  ...["a\0.example", "a.example\0.evil", "\0", "a\n", "a b", "-a", "a-", "_", "a_b", "a..b"],
  ...["bücher.example", "xn--bcher-kva.example", "xn--", "\u{1F4A9}.example", "\u202Eexample"],
  ...["192.0.2.1", "1", "::1", "localhost", "LOCALHOST", "a".repeat(63), "a".repeat(64)],
  ...[`${"a.".repeat(126)}a`, "a.".repeat(200), "os:admin", "trustplane:node", "https://a/"],
];

const generalName: readonly ((chance: Chance) => Uint8Array)[] = [
  (chance) => string(0x82, chance.of(oddTexts)),
  (chance) => string(0x82, `n${chance.below(1000)}.example`),
  (chance) => string(0x82, `n${chance.below(1000)}.example`),
  (chance) => element(0x87, chance.bytes(chance.of([4, 4, 4, 16, 16]))),
  (chance) => element(0x87, chance.bytes(chance.of([0, 3, 5, 8, 32]))),
  (chance) => element(0x87, mapped, chance.bytes(4)),
  (chance) => string(0x81, `${chance.of(oddTexts)}@a.example`),
  (chance) => string(0x86, `spiffe://${chance.of(oddTexts)}`),
  () => element(0xa4, sequence(setOf([attribute(O, utf8("os:admin"))]))),
  () => element(0xa0, oid("1.3.6.1.4.1.311.20.2.3"), element(0xa0, utf8("admin@a"))),
  () => element(0x88, Uint8Array.of(42, 3)),
];
const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

const names = (chance: Chance, count: number) =>
  extension(SAN, sequence(...times(count, () => chance.of(generalName)(chance))));

const goodNames = (chance: Chance) =>
  extension(SAN, sequence(...times(1 + chance.below(4), (i) => string(0x82, `n${i}.example`))));

const foreignExtensions: readonly ((chance: Chance) => Uint8Array)[] = [
  () => critical("2.5.29.19", sequence(boolean(true))),
  () => extension("2.5.29.19", sequence(boolean(true), natural(0n))),
  () => critical("2.5.29.15", flags([5, 6])),
  () => extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.2"), oid("2.5.29.37.0"))),
  () => extension("2.5.29.30", sequence(element(0xa0, sequence(string(0x82, "a"))))),
  (chance) => extension("2.5.29.14", octetString(chance.bytes(20))),
  (chance) => extension("2.5.29.35", sequence(element(0x80, chance.bytes(20)))),
  () => extension("1.3.6.1.5.5.7.1.24", sequence(natural(5n))),
  (chance) => critical(`1.3.6.1.4.1.${chance.below(70_000)}.1`, chance.bytes(chance.below(30))),
];

const request = (...wanted: readonly Uint8Array[]) =>
  attribute(EXTENSION_REQUEST, setOf([sequence(...wanted)]));

/** One list of attributes of a request each. */
export const greedyAttributes: readonly ((chance: Chance) => readonly Uint8Array[])[] = [
  (chance) => [request(names(chance, 1))],
  (chance) => [request(names(chance, 1 + chance.below(8)))],
  (chance) => [request(goodNames(chance), chance.of(foreignExtensions)(chance))],
  (chance) => [request(chance.of(foreignExtensions)(chance), goodNames(chance))],
  (chance) => [request(...times(3, () => chance.of(foreignExtensions)(chance)))],
  (chance) => [request(goodNames(chance)), request(names(chance, 2))],
  (chance) => [request(goodNames(chance), goodNames(chance))],
  (chance) => [
    attribute("1.2.840.113549.1.9.7", setOf([utf8(chance.of(oddTexts))])), // challengePassword
    request(goodNames(chance)),
  ],
  (chance) => [
    attribute("1.3.6.1.4.1.311.2.1.14", setOf([sequence(chance.of(foreignExtensions)(chance))])),
  ],
  (chance) => [attribute(EXTENSION_REQUEST, setOf([nothing(), sequence(goodNames(chance))]))],
];

/** Few requests are as long as these, for each takes its time. */
export const manyNames = (chance: Chance): readonly Uint8Array[] => {
  const isShort = chance.happens(0.5);
  const list = times(chance.of([50, 200, 1000, 10_000]), (i) =>
    string(0x82, isShort ? "a" : `n${i}.example`),
  );
  return [request(extension(SAN, sequence(...list)))];
};

/** Relative names to add to a subject. */
export const greedyNames: readonly ((chance: Chance) => Uint8Array)[] = [
  (chance) => setOf([attribute(O, utf8(chance.of(roles)))]),
  (chance) =>
    setOf(roles.slice(chance.below(roles.length)).map((role) => attribute(O, utf8(role)))),
  (chance) => setOf([attribute(O, utf8("os:admin")), attribute(CN, utf8(chance.of(oddTexts)))]),
  (chance) => setOf([attribute(CN, utf8(chance.of(oddTexts)))]),
  (chance) => setOf([attribute(OU, string(0x1e, chance.of(oddTexts)))]), // hardly UTF-16
  (chance) => setOf([attribute(CN, string(0x13, chance.of(oddTexts)))]),
  (chance) => setOf([attribute(COUNTRY, string(0x14, chance.of(oddTexts)))]),
  (chance) => setOf([attribute(EMAIL, ia5(chance.of(oddTexts)))]),
  (chance) => setOf([attribute(`2.5.4.${chance.below(100)}`, natural(7n))]),
  () => setOf([attribute(CN, sequence(utf8("a")))]),
];
const roles = ["os:admin", "os:impersonator", "trustplane:node", "system:masters", " os:admin "];
