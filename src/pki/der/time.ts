/** Times of certificates, RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
import { instantOf, type Instant } from "#runtime";
import { DerError } from "../errors.ts";
import type { DerReader } from "./reader.ts";
import { tags } from "./tags.ts";
import { string } from "./writer.ts";

const FIRST_YEAR = 1950;
const FIRST_GENERALIZED_YEAR = 2050;

const yearDigitsOf = { [tags.utcTime]: 2, [tags.generalizedTime]: 4 } as const;
const ZERO = 0x30;
const Z = 0x5a;

/**
 * Reads a UTCTime or GeneralizedTime in whole seconds and UTC.
 *
 * @throws {DerError} when it is of another form, names no day, or is in the wrong one of the two
 */
export function readTime(reader: DerReader, what: string): Instant {
  const { tag } = reader;
  if (tag !== tags.utcTime && tag !== tags.generalizedTime)
    throw new DerError(`${what} is not a time`);
  const yearDigits = yearDigitsOf[tag];
  const text = reader.read(tag, what);
  const isDigits = text.every((octet, i) => i === text.length - 1 || isDigit(octet));
  if (text.length !== yearDigits + 11 || !isDigits || text.at(-1) !== Z)
    throw new DerError(`${what} is not in whole seconds of UTC`);
  const short = numberAt(text, 0, yearDigits);
  const year = yearDigits === 4 ? short : short < 50 ? 2000 + short : 1900 + short;
  if (yearDigits === 4 && year >= FIRST_YEAR && year < FIRST_GENERALIZED_YEAR)
    throw new DerError(`${what} is a GeneralizedTime before ${FIRST_GENERALIZED_YEAR}`);
  const field = (place: number) => numberAt(text, yearDigits + 2 * place, 2);
  const [month, day, hour, minute, second] = [field(0), field(1), field(2), field(3), field(4)];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // A field out of its range would carry over into the next.
  const isOfCalendar =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCFullYear() === year;
  if (!isOfCalendar || hour > 23 || minute > 59 || second > 59)
    throw new DerError(`${what} is not a time of the calendar`);
  return instantOf(date.setUTCHours(hour, minute, second));
}

const isDigit = (octet: number): boolean => octet >= ZERO && octet <= ZERO + 9;

function numberAt(text: Uint8Array, start: number, digits: number): number {
  let value = 0;
  for (let i = start; i < start + digits; i++) value = value * 10 + ((text[i] ?? ZERO) - ZERO);
  return value;
}

/**
 * Writes an instant in whole seconds; what is below a second is cut off.
 *
 * @throws {TypeError} when the year cannot be written
 */
export function time(moment: Instant): Uint8Array {
  const year = new Date(moment).getUTCFullYear();
  if (!(year >= FIRST_YEAR && year <= 9999)) throw new TypeError(`no certificate time: ${moment}`);
  const text = new Date(moment).toISOString().replace(/\.\d+|[-:T]/g, "");
  return year < FIRST_GENERALIZED_YEAR
    ? string(tags.utcTime, text.slice(2))
    : string(tags.generalizedTime, text);
}
