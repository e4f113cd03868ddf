/**
 * A strict reader of the Distinguished Encoding Rules, X.690 §10: definite and shortest lengths,
 * canonical values, nothing left over. Whatever the bytes are, it throws nothing but DerError.
 *
 * One thing that DER forbids is let pass, as all known readers do: a value that equals its DEFAULT.
 */
import { DerError } from "../errors.ts";
import { oidText } from "./oid.ts";
import { tags } from "./tags.ts";

/** Longer input is refused unread. */
export const DER_BYTES_MAX = 1 << 20;
const DEPTH_MAX = 24;
/** No integer of a certificate is longer: an RSA modulus of 16384 bits and its sign. */
const INTEGER_BYTES_MAX = 2049;

/** Reads the elements of one constructed value, in order. */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #depth: number;
  #position = 0;

  constructor(bytes: Uint8Array, depth = 0) {
    if (bytes.length > DER_BYTES_MAX) throw new DerError(`more than ${DER_BYTES_MAX} bytes of DER`);
    if (depth > DEPTH_MAX) throw new DerError(`DER is nested deeper than ${DEPTH_MAX} levels`);
    this.#bytes = bytes;
    this.#depth = depth;
  }

  /** Nothing is left. */
  get done(): boolean {
    return this.#position >= this.#bytes.length;
  }

  /** The identifier octet of the next element; -1 at the end. */
  get tag(): number {
    return this.#bytes[this.#position] ?? -1;
  }

  /** The next element whole, identifier and length included. */
  element(tag: number, what: string): Uint8Array {
    const start = this.#position;
    this.read(tag, what);
    return this.#bytes.subarray(start, this.#position);
  }

  /** The content of the next element. */
  read(tag: number, what: string): Uint8Array {
    if (this.tag !== tag) throw this.#unexpected(tag, what);
    return this.#content(what);
  }

  /** The content of the next element when it has this tag. */
  optional(tag: number, what: string): Uint8Array | undefined {
    return this.tag === tag ? this.#content(what) : undefined;
  }

  /** A reader of the next element, which is constructed. */
  enter(tag: number, what: string): DerReader {
    return new DerReader(this.read(tag, what), this.#depth + 1);
  }

  enterOptional(tag: number, what: string): DerReader | undefined {
    return this.tag === tag ? this.enter(tag, what) : undefined;
  }

  sequence(what: string): DerReader {
    return this.enter(tags.sequence, what);
  }

  /** The next element whatever its tag is, whole and by its content. */
  any(what: string): { tag: number; der: Uint8Array; content: Uint8Array } {
    const { tag } = this;
    const start = this.#position;
    if (tag < 0) throw new DerError(`${what} is missing`);
    const content = this.#content(what);
    return { tag, der: this.#bytes.subarray(start, this.#position), content };
  }

  oid(what: string): string {
    return oidText(this.read(tags.oid, what), what);
  }

  boolean(what: string): boolean {
    const [octet, ...more] = this.read(tags.boolean, what);
    if (more.length > 0 || (octet !== 0x00 && octet !== 0xff))
      throw new DerError(`${what} is not a canonical BOOLEAN`);
    return octet === 0xff;
  }

  /** An INTEGER that is not negative. */
  natural(what: string): bigint {
    const content = integerContent(this.read(tags.integer, what), what);
    if (((content[0] ?? 0) & 0x80) !== 0) throw new DerError(`${what} is negative`);
    return BigInt(`0x${Buffer.from(content).toString("hex")}`);
  }

  /** An INTEGER of `limit` at most that is not negative. */
  count(what: string, limit: number): number {
    const value = this.natural(what);
    if (value > BigInt(limit)) throw new DerError(`${what} is larger than ${limit}`);
    return Number(value);
  }

  /** A BIT STRING of whole octets. */
  octetBits(what: string): Uint8Array {
    const content = this.read(tags.bitString, what);
    if (content[0] !== 0) throw new DerError(`${what} is not a BIT STRING of whole octets`);
    return content.subarray(1);
  }

  /** A BIT STRING of flags; bit 0 is the first. */
  flags(what: string): number[] {
    const content = this.read(tags.bitString, what);
    const [unused = 8] = content;
    const spare = (content.at(-1) ?? 0) & ((1 << unused) - 1);
    if (unused > (content.length > 1 ? 7 : 0) || (content.length > 1 && spare !== 0))
      throw new DerError(`${what} has bad unused bits`);
    const set: number[] = [];
    for (let bit = 0; bit < (content.length - 1) * 8; bit++)
      if (((content[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0) set.push(bit);
    return set;
  }

  /** @throws {DerError} when something is left */
  end(what: string): void {
    if (!this.done) throw new DerError(`${what} has ${this.#left} bytes too many`);
  }

  get #left(): number {
    return this.#bytes.length - this.#position;
  }

  #unexpected(tag: number, what: string): DerError {
    const found = this.done ? "the end" : `tag 0x${this.tag.toString(16)}`;
    return new DerError(`${what}: found ${found} where tag 0x${tag.toString(16)} belongs`);
  }

  /** Steps over the next element. */
  #content(what: string): Uint8Array {
    const bytes = this.#bytes;
    let position = this.#position;
    if (((bytes[position++] ?? 0) & 0x1f) === 0x1f) throw new DerError(`${what} has a long tag`);
    let length = bytes[position++] ?? -1;
    if (length === 0x80) throw new DerError(`${what} has no definite length`);
    if (length > 0x80) {
      const octets = length - 0x80;
      if (octets > 4) throw new DerError(`${what} is too long`);
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + (bytes[position++] ?? 0);
      if (length < 0x80 || length < 2 ** (8 * (octets - 1)))
        throw new DerError(`${what} has a length that is not the shortest`);
    }
    if (length < 0 || position + length > bytes.length) throw new DerError(`${what} is cut off`);
    this.#position = position + length;
    return bytes.subarray(position, this.#position);
  }
}

function integerContent(content: Uint8Array, what: string): Uint8Array {
  const [first, second = 0] = content;
  if (first === undefined) throw new DerError(`${what} is an empty INTEGER`);
  if (content.length > INTEGER_BYTES_MAX) throw new DerError(`${what} is too long an INTEGER`);
  const padded =
    (first === 0x00 && (second & 0x80) === 0) || (first === 0xff && (second & 0x80) !== 0);
  if (content.length > 1 && padded) throw new DerError(`${what} is not the shortest INTEGER`);
  return content;
}

/** A reader of one SEQUENCE that is all there is. */
export function wholeSequence(der: Uint8Array, what: string): DerReader {
  const outer = new DerReader(der);
  const inner = outer.sequence(what);
  outer.end(what);
  return inner;
}
