/** Distinguished names, RFC 5280 §4.1.2.4: any is read, those of talos-pki.md §2.1 are written. */
import { DerReader, wholeSequence } from "./der/reader.ts";
import { tags } from "./der/tags.ts";
import { oid, sequence, setOf, string } from "./der/writer.ts";
import { DerError } from "./errors.ts";
import { attributeNames, attributeOids } from "./oids.ts";

/** One attribute of a name. */
export interface NameAttribute {
  readonly oid: string;
  readonly value: string;
}

/** A name; its attributes stand in the order of the encoding, whatever their grouping. */
export interface Name {
  /** The RDNSequence. */
  readonly der: Uint8Array;
  readonly attributes: readonly NameAttribute[];
}

/** What a written name consists of; empty texts are left out. */
export interface NameParts {
  readonly countries?: readonly string[];
  readonly organizations?: readonly string[];
  readonly organizationalUnits?: readonly string[];
  readonly localities?: readonly string[];
  readonly provinces?: readonly string[];
  readonly streetAddresses?: readonly string[];
  readonly postalCodes?: readonly string[];
  readonly commonName?: string;
  readonly serialNumber?: string;
}

const kinds = Object.keys(attributeOids) as (keyof typeof attributeOids)[];

/**
 * Reads a name in any grouping.
 *
 * @throws {DerError} when the bytes are not a name
 */
export function readName(der: Uint8Array): Name {
  return { der, attributes: readRdns(der).flat() };
}

function readRdns(der: Uint8Array): NameAttribute[][] {
  const rdns: NameAttribute[][] = [];
  for (const names = wholeSequence(der, "name"); !names.done;) {
    const set = names.enter(tags.set, "relative name");
    const members: NameAttribute[] = [];
    do members.push(readAttribute(set));
    while (!set.done);
    rdns.push(members);
  }
  return rdns;
}

function readAttribute(set: DerReader): NameAttribute {
  const attribute = set.sequence("attribute of a name");
  const type = attribute.oid("attribute type");
  const { tag, der, content } = attribute.any("attribute value");
  attribute.end("attribute of a name");
  const read = stringReaders[tag];
  // As RFC 4514 writes a value that has no text.
  return { oid: type, value: read?.(content) ?? `#${Buffer.from(der).toString("hex")}` };
}

const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const latin = (content: Uint8Array) => Buffer.from(content).toString("latin1");

const stringReaders: Readonly<Record<number, (content: Uint8Array) => string>> = {
  [tags.utf8String]: readUtf8,
  [tags.printableString](content) {
    const text = latin(content);
    // Wildcards and ampersands have always been put there, against the letter.
    if (!printable.test(text.replace(/[*&@_]/g, ""))) throw new DerError("a bad PrintableString");
    return text;
  },
  [tags.ia5String]: readIa5,
  [tags.teletexString]: latin,
  [tags.bmpString](content) {
    if (content.length % 2 !== 0) throw new DerError("a BMPString of an odd length");
    return Buffer.from(content).swap16().toString("utf16le");
  },
};

function readUtf8(content: Uint8Array): string {
  try {
    return utf8.decode(content);
  } catch (error) {
    throw new DerError("a bad UTF8String", { cause: error });
  }
}

/** @throws {DerError} when a byte is not ASCII */
export function readIa5(content: Uint8Array): string {
  if (content.some((byte) => byte >= 0x80)) throw new DerError("a bad IA5String");
  return latin(content);
}

/**
 * Writes a name: kinds of attributes in their fixed order, one RDN for each kind, and several
 * values of a kind in one RDN.
 */
export function buildName(parts: NameParts): Name {
  const attributes = kinds.map((kind) => {
    const given = parts[kind] ?? [];
    const values = (typeof given === "string" ? [given] : given).filter((value) => value !== "");
    return values.map((value) => attribute(attributeOids[kind], value));
  });
  return readName(sequence(...attributes.filter(({ length }) => length > 0).map(setOf)));
}

const attribute = (type: string, value: string): Uint8Array =>
  sequence(
    oid(type),
    string(printable.test(value) ? tags.printableString : tags.utf8String, value.toWellFormed()),
  );

/** The parts of a name that {@link buildName} writes; attributes of other kinds are left out. */
export function nameParts(name: Name): NameParts {
  const parts: Record<string, string | string[]> = {};
  for (const kind of kinds) {
    const values = valuesOf(name, attributeOids[kind]);
    if (values.length === 0) continue;
    // The last one counts, as in Go's pkix.Name.
    parts[kind] = kind === "commonName" || kind === "serialNumber" ? (values.at(-1) ?? "") : values;
  }
  return parts;
}

const valuesOf = ({ attributes }: Name, type: string): string[] =>
  attributes.filter(({ oid }) => oid === type).map(({ value }) => value);

/** The organizations of a name, which are the roles of a Talos client. */
export const organizations = (name: Name): string[] => valuesOf(name, attributeOids.organizations);

/** The common name; the last one where there are several, undefined where there is none. */
export const commonName = (name: Name): string | undefined =>
  valuesOf(name, attributeOids.commonName).at(-1);

/** A name as OpenSSL prints it: `O = os:admin + O = os:reader, CN = x`; nothing for the empty one. */
export const formatName = ({ der }: Name): string =>
  readRdns(der)
    .map((rdn) =>
      rdn.map(({ oid, value }) => `${attributeNames[oid] ?? oid} = ${escaped(value)}`).join(" + "),
    )
    .join(", ");

/** A value that could be taken for several is quoted, and nothing in it drives a terminal. */
function escaped(value: string): string {
  const plain = value
    .replaceAll("\\", "\\\\")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${hexOf(char)}}`);
  return /[,+"=]|^\s|\s$/.test(plain) ? `"${plain.replaceAll('"', '\\"')}"` : plain;
}

const hexOf = (char: string): string => (char.codePointAt(0) ?? 0).toString(16);

/** Names are the same when their bytes are, as Go compares them. */
export const sameName = (a: Name, b: Name): boolean => Buffer.compare(a.der, b.der) === 0;
