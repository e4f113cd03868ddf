/** GeneralName of RFC 5280 §4.2.1.6, and its subtrees of §4.2.1.10. */
import { addressOctets, addressText, isDnsName } from "./address.ts";
import type { DerReader } from "./der/reader.ts";
import { explicit, implicit } from "./der/tags.ts";
import { element, string } from "./der/writer.ts";
import { AltNameInvalidError, DerError } from "./errors.ts";
import { readIa5, readName, type Name } from "./name.ts";

interface TextName {
  readonly kind: "dns" | "email" | "uri";
  readonly value: string;
}

interface DirectoryName {
  readonly kind: "directory";
  readonly name: Name;
}

/** Any other kind, by its context tag and unread. */
interface UnreadName {
  readonly kind: "other";
  readonly tag: number;
  readonly der: Uint8Array;
}

/** A name of a subject that is not a distinguished one; addresses are canonical text. */
export type GeneralName =
  { readonly kind: "ip"; readonly value: string } | TextName | DirectoryName | UnreadName;

/** One subtree of name constraints; the mask has as many octets as the address. */
export type GeneralSubtree =
  | { readonly kind: "ip"; readonly address: Uint8Array; readonly mask: Uint8Array }
  | TextName
  | DirectoryName
  | UnreadName;

const tagOf = { email: implicit(1), dns: implicit(2), uri: implicit(6), ip: implicit(7) } as const;
const DIRECTORY = explicit(4);
const texts: Readonly<Record<number, "dns" | "email" | "uri">> = {
  [tagOf.email]: "email",
  [tagOf.dns]: "dns",
  [tagOf.uri]: "uri",
};

/** Reads one name; an address has to have 4 or 16 octets. */
export function readGeneralName(reader: DerReader): GeneralName {
  const { tag } = reader;
  if (tag === tagOf.ip) {
    const octets = reader.read(tag, "iPAddress");
    if (octets.length !== 4 && octets.length !== 16)
      throw new DerError(`an iPAddress has ${octets.length} octets`);
    return { kind: "ip", value: addressText(octets) };
  }
  return readOtherName(reader);
}

/** Reads the base of a subtree; an address has its mask behind it. */
export function readSubtreeBase(reader: DerReader): GeneralSubtree {
  if (reader.tag !== tagOf.ip) return readOtherName(reader);
  const octets = reader.read(tagOf.ip, "iPAddress");
  if (octets.length !== 8 && octets.length !== 32)
    throw new DerError(`an iPAddress of name constraints has ${octets.length} octets`);
  const half = octets.length / 2;
  return { kind: "ip", address: octets.subarray(0, half), mask: octets.subarray(half) };
}

function readOtherName(reader: DerReader): TextName | DirectoryName | UnreadName {
  const { tag } = reader;
  const text = texts[tag];
  if (text !== undefined) return { kind: text, value: readIa5(reader.read(tag, text)) };
  if (tag !== DIRECTORY) {
    const { der } = reader.any("GeneralName");
    if ((tag & 0xc0) !== 0x80) throw new DerError("a GeneralName has no context tag");
    return { kind: "other", tag: tag & 0x1f, der };
  }
  const inner = reader.enter(DIRECTORY, "directoryName");
  const name = inner.element(0x30, "directoryName");
  inner.end("directoryName");
  return { kind: "directory", name: readName(name) };
}

/** @throws {AltNameInvalidError} when the text is not a DNS name */
export function dnsName(text: string): Uint8Array {
  if (!isDnsName(text))
    throw new AltNameInvalidError(
      `${JSON.stringify(text)} is not a DNS name that can be certified`,
    );
  return string(tagOf.dns, text);
}

/** @throws {AltNameInvalidError} when the text is not an IP address */
export function ipAddress(text: string): Uint8Array {
  const octets = addressOctets(text);
  if (octets === undefined)
    throw new AltNameInvalidError(`${JSON.stringify(text)} is not an IP address`);
  return element(tagOf.ip, octets);
}
