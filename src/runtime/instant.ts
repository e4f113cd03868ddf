/**
 * Instants and durations. An instant is a number of milliseconds since 1970-01-01T00:00:00Z, a
 * duration is a plain number of milliseconds; leap seconds are ignored, as in RFC 5280.
 */
declare const instant: unique symbol;

/** Milliseconds since the Unix epoch, UTC. */
export type Instant = number & { readonly [instant]: true };

/** Marks a number of milliseconds since the Unix epoch as an {@link Instant}. */
export const instantOf = (epochMs: number): Instant => epochMs as Instant;

/**
 * Reads an ISO 8601 date or date-time; a text without a zone is UTC.
 *
 * @throws {TypeError} when the text is not a date
 */
export function at(iso: string): Instant {
  const zoned = /T.*(Z|[+-]\d\d:?\d\d)$/.test(iso) || !iso.includes("T") ? iso : `${iso}Z`;
  const epochMs = Date.parse(zoned);
  if (Number.isNaN(epochMs)) throw new TypeError(`not a date: ${JSON.stringify(iso)}`);
  return instantOf(epochMs);
}

/** The instant `duration` milliseconds after `from`. */
export const after = (from: Instant, duration: number): Instant => instantOf(from + duration);

/** RFC 3339 in UTC with seconds precision, as COSI prints timestamps. */
export const rfc3339 = (moment: Instant): string =>
  new Date(moment).toISOString().replace(/\.\d{3}Z$/, "Z");

/** As {@link rfc3339}, with milliseconds. */
export const rfc3339Milliseconds = (moment: Instant): string => new Date(moment).toISOString();

export const milliseconds = (count: number): number => count;
export const seconds = (count: number): number => count * 1000;
export const minutes = (count: number): number => seconds(count * 60);
export const hours = (count: number): number => minutes(count * 60);
export const days = (count: number): number => hours(count * 24);

/** The first of several instants, where `null` is never. */
export const earliest = (instants: readonly (Instant | null)[]): Instant | null =>
  instants.reduce(
    (first, next) => (first === null || (next !== null && next < first) ? next : first),
    null,
  );
