import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { buildName, commonName, formatName, nameParts, organizations, readName } from "#pki";
import { oid, sequence, setOf, string } from "../../src/pki/der/writer.ts";
import { DerError } from "../../src/pki/errors.ts";
import { demoRoots } from "./demo.ts";

const hex = (value: Uint8Array) => Buffer.from(value).toString("hex");
const O = "2.5.4.10";
const CN = "2.5.4.3";
const attribute = (type: string, value: string, tag = 0x13) =>
  sequence(oid(type), string(tag, value));

describe("talos-pki.md §2.1: names that are written", () => {
  test("several organizations share one RDN, sorted by their encodings", () => {
    const name = buildName({ organizations: ["os:reader", "os:admin"], commonName: "a" });
    expect(name.der).toEqual(
      sequence(
        setOf([attribute(O, "os:reader"), attribute(O, "os:admin")]),
        setOf([attribute(CN, "a")]),
      ),
    );
    expect(organizations(name)).toEqual(["os:admin", "os:reader"]);
    expect(formatName(name)).toBe("O = os:admin + O = os:reader, CN = a");
  });

  test("kinds stand in their fixed order, whatever the order they are given in", () => {
    const name = buildName({
      serialNumber: "7",
      commonName: "n",
      postalCodes: ["1"],
      streetAddresses: ["s"],
      provinces: ["p"],
      localities: ["l"],
      organizationalUnits: ["u"],
      organizations: ["o"],
      countries: ["DE"],
    });
    expect(formatName(name)).toBe(
      "C = DE, O = o, OU = u, L = l, ST = p, street = s, postalCode = 1, CN = n, serialNumber = 7",
    );
    expect(buildName(nameParts(name))).toEqual(name);
  });

  test.each([
    ["os:admin", 0x13],
    ["system:node:a-1.example", 0x13],
    ["a_b", 0x0c],
    ["a@b", 0x0c],
    ["a*b", 0x0c],
    ["Zürich", 0x0c],
  ])("%s is of the string type %i", (value, tag) => {
    const name = buildName({ commonName: value });
    expect(name.der).toEqual(sequence(setOf([attribute(CN, value, tag)])));
    expect(commonName(name)).toBe(value);
  });

  test("nothing is the empty name", () => {
    expect(hex(buildName({}).der)).toBe("3000");
    expect(hex(buildName({ commonName: "", organizations: [""] }).der)).toBe("3000");
    expect(formatName(buildName({}))).toBe("");
  });
});

describe("RFC 5280 §4.1.2.4: names that are read", () => {
  test("organizations in an RDN each, or in one", () => {
    const apart = sequence(setOf([attribute(O, "a")]), setOf([attribute(O, "b")]));
    const together = sequence(setOf([attribute(O, "a"), attribute(O, "b")]));
    expect(organizations(readName(apart))).toEqual(["a", "b"]);
    expect(organizations(readName(together))).toEqual(["a", "b"]);
    expect(formatName(readName(apart))).toBe("O = a, O = b");
    expect(formatName(readName(together))).toBe("O = a + O = b");
  });

  test("one empty organization, as very old clients have", () => {
    expect(organizations(readName(sequence(setOf([attribute(O, "")]))))).toEqual([""]);
  });

  test("unknown kinds and old string types", () => {
    const bmp = sequence(oid(CN), Uint8Array.of(0x1e, 4, 0, 0x61, 0, 0xe9));
    const other = sequence(oid("1.2.3"), Uint8Array.of(0x02, 1, 5));
    const name = readName(sequence(setOf([bmp]), setOf([other])));
    expect(name.attributes.map(({ value }) => value)).toEqual(["aé", "#020105"]);
    expect(nameParts(name)).toEqual({ commonName: "aé" });
  });

  test("a value never passes for two, nor drives a terminal", () => {
    const name = buildName({ commonName: "a, O = os:admin\u001b[31m" });
    expect(formatName(name)).toBe('CN = "a, O = os:admin\\u{1b}[31m"');
  });

  test.each([
    ["an empty RDN", sequence(setOf([]))],
    ["a damaged UTF8String", sequence(setOf([sequence(oid(CN), Uint8Array.of(0x0c, 1, 0xff))]))],
    ["a PrintableString with a foreign character", sequence(setOf([attribute(CN, "a!")]))],
    ["an IA5String with an octet of 8 bits", sequence(setOf([attribute(CN, "é", 0x16)]))],
    [
      "an attribute with two values",
      sequence(setOf([sequence(oid(CN), string(12, "a"), string(12, "b"))])),
    ],
  ])("%s is refused", (_what, der) => {
    expect(() => readName(der)).toThrow(DerError);
  });

  test("the aggregator's empty name, at which Node.js shows nothing", () => {
    const { crt } = demoRoots.aggregator;
    expect(new X509Certificate(crt).subject).toBeUndefined();
  });
});
