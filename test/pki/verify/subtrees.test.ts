import { expect, test } from "vitest";
import { buildName, type GeneralName, type GeneralSubtree } from "#pki";
import { isWellFormed, relate } from "../../../src/pki/verify/subtrees.ts";

const text = (kind: "dns" | "email" | "uri") => (value: string) => ({ kind, value });
const [dns, email, uri] = [text("dns"), text("email"), text("uri")];
const ip = (value: string): GeneralName => ({ kind: "ip", value });
const net = (address: readonly number[], mask: readonly number[]): GeneralSubtree => ({
  kind: "ip",
  address: Uint8Array.from(address),
  mask: Uint8Array.from(mask),
});
const zeros = (count: number) => new Array<number>(count).fill(0);
const ones = (count: number) => new Array<number>(count).fill(255);
const directory = (commonName: string, organization?: string) => ({
  kind: "directory" as const,
  name: buildName({ commonName, organizations: organization ? [organization] : [] }),
});
const tenNet = net([10, 0, 0, 0], [255, 0, 0, 0]);
const mappedTenNet = net([...zeros(10), 255, 255, 10, 0, 0, 0], [...ones(13), 0, 0, 0]);

test.each<[string, GeneralName, GeneralSubtree, string]>([
  ["a host below", dns("a.example.com"), dns("example.com"), "inside"],
  ["the host itself, in capitals", dns("EXAMPLE.com"), dns("example.COM"), "inside"],
  ["a host that only ends alike", dns("notexample.com"), dns("example.com"), "outside"],
  ["any host under the empty base", dns("a.test"), dns(""), "inside"],
  ["a wildcard below", dns("*.example.com"), dns("example.com"), "inside"],
  ["a wildcard that could be the base", dns("*.example.com"), dns("a.example.com"), "overlaps"],
  ["a wildcard that could not", dns("*.example.com"), dns("b.a.example.com"), "outside"],
  ["what is no host", dns(".example.com"), dns("example.com"), "unreadable"],
  ["a mailbox at the host", email("a@Example.com"), email("example.com"), "inside"],
  ["a mailbox below the host", email("a@b.example.com"), email("example.com"), "outside"],
  ["a mailbox below the domain", email("a@b.example.com"), email(".example.com"), "inside"],
  ["a mailbox in other capitals", email("A@example.com"), email("a@example.com"), "outside"],
  ["what is no mailbox", email("example.com"), email("example.com"), "unreadable"],
  ["a URI at the host", uri("spiffe://Example.com/a"), uri("example.com"), "inside"],
  [
    "a URI with user and port",
    uri("https://evil.test@example.com:1/"),
    uri("evil.test"),
    "outside",
  ],
  ["a URI below the host", uri("https://a.example.com/"), uri("example.com"), "outside"],
  ["a URI below the domain", uri("https://a.example.com/"), uri(".example.com"), "inside"],
  ["a URI of an address", uri("https://192.0.2.1/"), uri("example.com"), "unreadable"],
  ["a URI without a host", uri("urn:a:b"), uri("example.com"), "unreadable"],
  ["an address of the network", ip("10.9.9.9"), tenNet, "inside"],
  ["an address of another", ip("11.0.0.0"), tenNet, "outside"],
  ["an address mapped into IPv6", ip("::ffff:10.0.0.1"), tenNet, "inside"],
  ["a network mapped into IPv6", ip("10.0.0.1"), mappedTenNet, "inside"],
  ["an address of the other family", ip("::1"), tenNet, "outside"],
  [
    "a name below",
    directory("a", "talos"),
    { kind: "directory", name: buildName({ organizations: ["talos"] }) },
    "inside",
  ],
  ["a name in other letters and spaces", directory("Foo  Bar"), directory("foo bar"), "inside"],
  [
    "a name that has the base's parts further on",
    directory("a", "talos"),
    directory("a"),
    "outside",
  ],
  ["another name", directory("foo"), directory("bar"), "outside"],
  [
    "a name that is the base's beginning",
    { kind: "directory", name: buildName({ organizations: ["talos"] }) },
    directory("a", "talos"),
    "outside",
  ],
])("%s", (_what, name, base, relation) => {
  expect(relate(name, base)).toBe(relation);
});

test("PrintableString and UTF8String of a name are the same to a constraint", () => {
  const utf8 = Buffer.from(buildName({ commonName: "foo" }).der);
  const printable = utf8.indexOf(Buffer.from([0x13, 3]));
  expect(printable).toBeGreaterThan(0);
  utf8[printable] = 0x0c;
  const name = { der: utf8, attributes: [{ oid: "2.5.4.3", value: "foo" }] };
  expect(relate({ kind: "directory", name }, directory("foo"))).toBe("inside");
});

test.each<[GeneralSubtree, boolean]>([
  [dns("example.com"), true],
  [dns(""), true],
  [dns(".example.com"), false],
  [dns("*.example.com"), false],
  [email(".example.com"), true],
  [email("a@example.com"), true],
  [email("a@b@example.com"), false],
  [uri("example.com"), true],
  [uri("https://example.com"), false],
  [tenNet, true],
  [net([10, 0, 0, 0], [255, 0, 255, 0]), false],
])("%j is well formed: %j", (base, is) => {
  expect(isWellFormed(base)).toBe(is);
});
