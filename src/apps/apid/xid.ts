/**
 * Ids that sort by the time they were made, in the form of github.com/rs/xid: seconds since 1970 in 4
 * bytes, 5 bytes of the maker and 3 of a counter, in the 20 characters of base32hex (RFC 4648 §7) in
 * lower case.
 */
import { instantOf, seconds, type Clock, type Instant, type Random } from "#runtime";

const DIGITS = "0123456789abcdefghijklmnopqrstuv";
const MAKER_BYTES = 5;
const COUNTER_MAX = 2 ** 24;

/** Of the last character only the highest bit is used. */
export const isXid = (text: string): boolean => /^[0-9a-v]{19}[0g]$/.test(text);

/** When an id was made, to the second. */
export function timeOfXid(xid: string): Instant {
  const bits = Array.from(xid.slice(0, 7), (digit) => DIGITS.indexOf(digit));
  const whole = bits.reduce((number, five) => number * 32 + five, 0); // 35 bits, 3 too many
  return instantOf(seconds(Math.floor(whole / 8)));
}

/** Makes ids, each of which comes after the one before, also when the clock is set back. */
export function xidSource(clock: Clock, random: Random): () => string {
  const maker = random.bytes(MAKER_BYTES);
  let second = 0;
  let counter = new DataView(random.bytes(4).buffer).getUint32(0) % (COUNTER_MAX / 2);
  return () => {
    second = Math.max(second, Math.floor(clock.now() / seconds(1)));
    counter += 1;
    if (counter === COUNTER_MAX) {
      counter = 0;
      second += 1; // or it would come before
    }
    const bytes = new Uint8Array(12);
    const view = new DataView(bytes.buffer);
    view.setUint32(8, counter); // its first byte is the maker's last
    view.setUint32(0, second);
    bytes.set(maker, 4);
    return base32hex(bytes);
  };
}

function base32hex(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.replace(/.{1,5}/g, (five) => DIGITS.charAt(Number.parseInt(five.padEnd(5, "0"), 2)));
}
