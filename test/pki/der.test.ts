import { describe, expect, test } from "vitest";
import { at, instantOf } from "#runtime";
import { DER_BYTES_MAX, DerReader, wholeSequence } from "../../src/pki/der/reader.ts";
import { readTime, time } from "../../src/pki/der/time.ts";
import * as der from "../../src/pki/der/writer.ts";
import { DerError } from "../../src/pki/errors.ts";

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const hex = (value: Uint8Array) => Buffer.from(value).toString("hex");
const reader = (text: string) => new DerReader(bytes(text));

describe("X.690: what is not the one encoding is refused", () => {
  const refused: Record<string, () => unknown> = {
    "§10.1 indefinite length": () => reader("30 80 00 00").sequence("x"),
    "§10.1 long form of a short length": () => reader("04 81 01 00").read(4, "x"),
    "§10.1 leading zero in a length": () => reader(`04 82 00 80 ${"00".repeat(128)}`).read(4, "x"),
    "a length beyond the end": () => reader("04 05 00").read(4, "x"),
    "a length of five octets": () => reader("04 85 00 00 00 00 01 00").read(4, "x"),
    "an element without its length": () => reader("04").read(4, "x"),
    "§8.1.2.4 a long tag": () => reader("1f 81 01 00").any("x"),
    "§8.1.2.5 a primitive SEQUENCE": () => reader("10 00").sequence("x"),
    "§8.3.2 a padded INTEGER": () => reader("02 02 00 7f").natural("x"),
    "§8.3.2 a padded negative INTEGER": () => reader("02 02 ff 80").natural("x"),
    "§8.3.1 an empty INTEGER": () => reader("02 00").natural("x"),
    "a negative number where there is none": () => reader("02 01 80").natural("x"),
    "§11.1 a BOOLEAN of 1": () => reader("01 01 01").boolean("x"),
    "§8.2.1 a BOOLEAN of two octets": () => reader("01 02 ff ff").boolean("x"),
    "§11.2.1 unused bits that are set": () => reader("03 02 07 81").flags("x"),
    "§8.6.2.2 eight unused bits": () => reader("03 02 08 00").flags("x"),
    "§8.6.2.3 unused bits of nothing": () => reader("03 01 01").flags("x"),
    "a BIT STRING without its first octet": () => reader("03 00").flags("x"),
    "octets of a BIT STRING that end within one": () => reader("03 02 04 f0").octetBits("x"),
    "§8.19.2 a padded arc": () => reader("06 03 2a 80 01").oid("x"),
    "§8.19 an arc without its end": () => reader("06 02 2a 86").oid("x"),
    "an empty OBJECT IDENTIFIER": () => reader("06 00").oid("x"),
    "bytes after the end": () => wholeSequence(bytes("30 00 00"), "x"),
    "more bytes than there should be": () => new DerReader(new Uint8Array(DER_BYTES_MAX + 1)),
  };
  for (const [what, read] of Object.entries(refused))
    test(what, () => expect(read).toThrow(DerError));

  test("nesting has a bottom", () => {
    let nested: Uint8Array = new Uint8Array();
    for (let i = 0; i < 100; i++) nested = der.sequence(nested);
    const descend = () => {
      for (let inner = new DerReader(nested); ;) inner = inner.sequence("x");
    };
    expect(descend).toThrow(/nested deeper/);
  });
});

describe("X.690: what is written is read again", () => {
  test.each([0, 1, 127, 128, 255, 256, 65_535, 65_536])("%i octets", (length) => {
    const written = der.octetString(new Uint8Array(length).fill(7));
    const again = new DerReader(written);
    expect(again.read(4, "x")).toHaveLength(length);
    expect(again.done).toBe(true);
  });

  test.each([
    [0n, "020100"],
    [127n, "02017f"],
    [128n, "02020080"],
    [256n, "02020100"],
    [(1n << 128n) - 1n, `021100${"ff".repeat(16)}`],
  ])("INTEGER %s", (value, expected) => {
    expect(hex(der.natural(value))).toBe(expected);
    expect(new DerReader(der.natural(value)).natural("x")).toBe(value);
  });

  test.each(["1.3.101.112", "1.2.840.113549.1.1.11", "2.5.29.37.0", "2.999.3"])("OID %s", (oid) => {
    expect(new DerReader(der.oid(oid)).oid("x")).toBe(oid);
  });

  test("flags have no trailing zero bit, §11.2.2", () => {
    expect(hex(der.flags([0]))).toBe("03020780");
    expect(hex(der.flags([0, 2]))).toBe("030205a0");
    expect(hex(der.flags([0, 5]))).toBe("03020284");
    expect(hex(der.flags([8]))).toBe("0303070080");
    expect(new DerReader(der.flags([0, 8])).flags("x")).toEqual([0, 8]);
  });

  test("members of a SET OF are sorted by their bytes, §11.6", () => {
    const members = ["0c0162", "0c026161", "0c0161"].map(bytes);
    expect(hex(der.setOf(members))).toBe("310a0c01610c01620c026161");
  });
});

describe("RFC 5280 §4.1.2.5: times", () => {
  test.each([
    ["1950-01-01T00:00:00", "500101000000Z", 0x17],
    ["2049-12-31T23:59:59", "491231235959Z", 0x17],
    ["2050-01-01T00:00:00", "20500101000000Z", 0x18],
    ["9999-12-31T23:59:59", "99991231235959Z", 0x18],
    ["2028-02-29T12:30:00", "280229123000Z", 0x17],
  ])("%s is %s", (iso, text, tag) => {
    const written = time(at(iso));
    expect(written[0]).toBe(tag);
    expect(Buffer.from(written.subarray(2)).toString()).toBe(text);
    expect(readTime(new DerReader(written), "x")).toBe(at(iso));
  });

  test("what is below a second is cut off", () => {
    expect(time(instantOf(at("2030-01-01T00:00:00") + 999))).toEqual(time(at("2030-01-01")));
  });

  test.each([
    ["a time without seconds", 0x17, "3001010000Z"],
    ["an offset", 0x17, "300101000000+0100"],
    ["a fraction", 0x18, "20500101000000.5Z"],
    ["no zone", 0x17, "300101000000"],
    ["a GeneralizedTime before 2050", 0x18, "20300101000000Z"],
    ["month 13", 0x17, "301301000000Z"],
    ["30 February", 0x17, "300230000000Z"],
    ["29 February of no leap year", 0x17, "290229000000Z"],
    ["hour 24", 0x17, "300101240000Z"],
    ["second 60", 0x17, "300101235960Z"],
  ])("%s is refused", (_what, tag, text) => {
    expect(() => readTime(new DerReader(der.string(tag, text)), "x")).toThrow(DerError);
  });
});
