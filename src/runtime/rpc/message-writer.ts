/**
 * Protobuf's wire format, written straight into one buffer. The generated encoders make an object
 * per message on the way; here a resource is turned into bytes for each change that is told of.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const BYTES_AT_FIRST = 64 * 1024;
/** What a large message has taken is given back. */
const BYTES_KEPT = 1024 * 1024;
/** Up to so many characters a loop is faster than a call into the engine. */
const SHORT_TEXT_UNITS = 48;
/** Room that is left for the length of a message while it is being written. */
const LENGTH_BYTES = 2;

/** Writes one message at a time; fields that have their default value are left out by the caller. */
export class MessageWriter {
  #buffer = Buffer.allocUnsafeSlow(BYTES_AT_FIRST);
  #at = 0;

  /** Takes what `fill` writes, as a copy; of what throws nothing stays behind. */
  write(fill: () => void): Buffer {
    try {
      fill();
      return this.#finish();
    } finally {
      this.#at = 0;
    }
  }

  #finish(): Buffer {
    const message = Buffer.allocUnsafe(this.#at);
    this.#buffer.copy(message, 0, 0, this.#at);
    if (this.#buffer.length > BYTES_KEPT) this.#buffer = Buffer.allocUnsafeSlow(BYTES_AT_FIRST);
    return message;
  }

  /** A whole number that is not negative. */
  number(field: number, value: number): void {
    this.#reserve(20);
    this.#varint(field * 8 + VARINT);
    this.#varint(value);
  }

  text(field: number, value: string): void {
    this.#reserve(value.length * 3 + 20);
    this.#varint(field * 8 + LENGTH_DELIMITED);
    const start = this.#at + lengthOfVarint(value.length);
    const end = this.#characters(value, start);
    this.#prefix(this.#at, start, end);
  }

  base64(field: number, value: string): void {
    this.#reserve(value.length + 20);
    this.#varint(field * 8 + LENGTH_DELIMITED);
    const start = this.#at + LENGTH_BYTES;
    const end = start + this.#buffer.write(value, start, "base64");
    this.#prefix(this.#at, start, end);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#reserve(value.length + 20);
    this.#varint(field * 8 + LENGTH_DELIMITED);
    this.#varint(value.length);
    this.#buffer.set(value, this.#at);
    this.#at += value.length;
  }

  /** Begins a message within the message. @returns what {@link close} needs */
  open(field: number): number {
    this.#reserve(20);
    this.#varint(field * 8 + LENGTH_DELIMITED);
    const place = this.#at;
    this.#at += LENGTH_BYTES;
    return place;
  }

  /** Ends the message that `open` began. */
  close(place: number): void {
    this.#prefix(place, place + LENGTH_BYTES, this.#at);
  }

  /** Puts the length of what stands between `start` and `end` at `place`, and moves it up to it. */
  #prefix(place: number, start: number, end: number): void {
    const length = end - start;
    const moved = place + lengthOfVarint(length);
    if (moved !== start) {
      this.#at = end;
      this.#reserve(10);
      this.#buffer.copyWithin(moved, start, end);
    }
    this.#at = place;
    this.#varint(length);
    this.#at = moved + length;
  }

  #characters(value: string, start: number): number {
    if (value.length > SHORT_TEXT_UNITS) return start + this.#buffer.write(value, start, "utf8");
    const buffer = this.#buffer;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) return start + buffer.write(value, start, "utf8");
      buffer[start + i] = unit;
    }
    return start + value.length;
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128))
      this.#buffer[this.#at++] = (rest % 128) | 0x80;
    this.#buffer[this.#at++] = rest;
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

/** How many bytes a number takes. */
export function lengthOfVarint(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
