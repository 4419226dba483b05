/**
 * Reads a time as callers write it: RFC 3339 with an offset, and an instant of this century.
 *
 * `Date.parse` is no reader of what strangers send. It turns February 30th into March 2nd and 24:00 into the next day, it
 * takes texts of no standard, and its years go so far from ours that they are written with a sign and six digits, which
 * no reader of RFC 3339 takes and PostgreSQL's timestamptz does not hold. So there is one range for every time that comes
 * in, and with it for every time that is answered: from 2000 up to 2100 (UTC). No stock was told, and none will be, by a system
 * outside of it; what lies there is a typing error, a unit mistaken, or an ERP's way to write "never".
 *
 * Leap seconds (`:60`) are refused: neither JavaScript nor PostgreSQL can hold them, and either would tell another instant.
 */
const RFC_3339 =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** The first instant that is accepted, in milliseconds since 1970: 2000-01-01T00:00:00Z. */
export const TIME_MIN_MS = Date.UTC(2000, 0, 1);
/** The first instant after the range, in milliseconds since 1970: 2100-01-01T00:00:00Z. */
export const TIME_END_MS = Date.UTC(2100, 0, 1);

/** What a text must be that {@link readTime} accepts, for messages to people. */
export const TIME_EXPECTATION = 'an RFC 3339 time with an offset, from 2000 to 2099';

/**
 * Milliseconds since 1970, or null for a text that is no such time. Fractions beyond a millisecond are cut off.
 *
 * @example readTime('2026-02-28T23:59:59.5+01:00'); // 1772319599500
 * readTime('2026-02-30T00:00:00Z'); // null
 */
export function readTime(text: string): number | null {
  const match = RFC_3339.exec(text);
  if (match === null || Number(match[3]) > daysIn(Number(match[1]), Number(match[2]))) return null;
  const at = Date.parse(text);
  return at >= TIME_MIN_MS && at < TIME_END_MS ? at : null;
}

/**
 * The same for a text that a schema has accepted already.
 *
 * @throws RangeError when nobody has.
 */
export function timeOf(text: string): number {
  const at = readTime(text);
  if (at === null) throw new RangeError(`Not ${TIME_EXPECTATION}: ${text.slice(0, 40)}`);
  return at;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
