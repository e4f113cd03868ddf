/** Times of certificates, RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
import { instantOf, type Instant } from "#runtime";
import { DerError } from "../errors.ts";
import type { DerReader } from "./reader.ts";
import { tags } from "./tags.ts";
import { string } from "./writer.ts";

const FIRST_YEAR = 1950;
const FIRST_GENERALIZED_YEAR = 2050;

const forms = {
  [tags.utcTime]: { shape: /^\d{12}Z$/, yearDigits: 2 },
  [tags.generalizedTime]: { shape: /^\d{14}Z$/, yearDigits: 4 },
} as const;

/**
 * Reads a UTCTime or GeneralizedTime in whole seconds and UTC.
 *
 * @throws {DerError} when it is of another form, names no day, or is in the wrong one of the two
 */
export function readTime(reader: DerReader, what: string): Instant {
  const { tag } = reader;
  if (tag !== tags.utcTime && tag !== tags.generalizedTime)
    throw new DerError(`${what} is not a time`);
  const { shape, yearDigits } = forms[tag];
  const text = Buffer.from(reader.read(tag, what)).toString("latin1");
  if (!shape.test(text)) throw new DerError(`${what} is not in whole seconds of UTC`);
  const short = Number(text.slice(0, yearDigits));
  const year = yearDigits === 4 ? short : short < 50 ? 2000 + short : 1900 + short;
  if (yearDigits === 4 && year >= FIRST_YEAR && year < FIRST_GENERALIZED_YEAR)
    throw new DerError(`${what} is a GeneralizedTime before ${FIRST_GENERALIZED_YEAR}`);
  const pairs = text.slice(yearDigits, -1).match(/../g) ?? [];
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = pairs.map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  // A field out of its range has carried over into the next.
  const read = date.toISOString().replace(/\D/g, "").slice(-17, -3);
  if (read !== `${String(year).padStart(4, "0")}${pairs.join("")}`)
    throw new DerError(`${what} is not a time of the calendar`);
  return instantOf(date.getTime());
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
