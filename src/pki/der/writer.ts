/** Writes the Distinguished Encoding Rules, X.690 §10: each function returns one whole element. */
import { oidContent } from "./oid.ts";
import { tags } from "./tags.ts";

export { explicit, implicit } from "./tags.ts";

/** An element of any tag around the given parts. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const octets = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
  if (length > 0xffffff) throw new TypeError(`an element of ${length} bytes is too long`);
  const der = new Uint8Array(2 + octets + length);
  der[0] = tag;
  der[1] = octets === 0 ? length : 0x80 | octets;
  for (let i = 0; i < octets; i++) der[2 + i] = length >> (8 * (octets - 1 - i));
  let position = 2 + octets;
  for (const part of parts) {
    der.set(part, position);
    position += part.length;
  }
  return der;
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array =>
  element(tags.sequence, ...parts);

/** SET OF: members in the ascending order of their encodings, X.690 §11.6. */
export const setOf = (members: readonly Uint8Array[]): Uint8Array =>
  element(tags.set, ...members.toSorted((a, b) => Buffer.compare(a, b)));

export const octetString = (...parts: readonly Uint8Array[]): Uint8Array =>
  element(tags.octetString, ...parts);

/** A BIT STRING of whole octets. */
export const octetBits = (bytes: Uint8Array): Uint8Array =>
  element(tags.bitString, Uint8Array.of(0), bytes);

/** A BIT STRING of named flags: no trailing zero bit, X.690 §11.2.2. */
export function flags(bits: readonly number[]): Uint8Array {
  const highest = Math.max(-1, ...bits);
  const octets = new Uint8Array(1 + Math.ceil((highest + 1) / 8));
  octets[0] = (octets.length - 1) * 8 - (highest + 1);
  for (const bit of bits) {
    const index = 1 + (bit >> 3);
    octets[index] = (octets[index] ?? 0) | (0x80 >> (bit & 7));
  }
  return element(tags.bitString, octets);
}

export const boolean = (value: boolean): Uint8Array =>
  Uint8Array.of(tags.boolean, 1, value ? 0xff : 0x00);

/** An INTEGER that is not negative. */
export function natural(value: bigint): Uint8Array {
  if (value < 0n) throw new TypeError("a negative number is not written");
  const digits = value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  // A first bit that is set would say that the number is negative.
  const signed = even.charAt(0) >= "8" ? `00${even}` : even;
  return element(tags.integer, new Uint8Array(Buffer.from(signed, "hex")));
}

export const nothing = (): Uint8Array => Uint8Array.of(tags.null, 0);

export const oid = (text: string): Uint8Array => element(tags.oid, oidContent(text));

const utf8 = new TextEncoder();

/** A string of one of the string types; the caller vouches for its alphabet. */
export const string = (tag: number, text: string): Uint8Array => element(tag, utf8.encode(text));
