import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TIME_END_MS, TIME_MIN_MS, readTime, timeOf } from './read-time.ts';

const pad = (number: number, digits = 2): string => String(number).padStart(digits, '0');

describe('reading a time', () => {
  it.each([
    ['2000-01-01T00:00:00Z', '2000-01-01T00:00:00.000Z'],
    ['2099-12-31T23:59:59.999999999Z', '2099-12-31T23:59:59.999Z'],
    ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00.000Z'],
    ['2000-02-29T12:00:00Z', '2000-02-29T12:00:00.000Z'],
    ['2026-04-30T00:00:00Z', '2026-04-30T00:00:00.000Z'],
    ['2026-12-31T23:59:59Z', '2026-12-31T23:59:59.000Z'],
    ['2026-06-01T02:00:00+02:00', '2026-06-01T00:00:00.000Z'],
    ['2026-06-01T00:00:00-00:00', '2026-06-01T00:00:00.000Z'],
    ['2026-06-01T00:00:00.5-23:59', '2026-06-01T23:59:00.500Z'],
    ['1999-12-31T23:00:00-01:00', '2000-01-01T00:00:00.000Z'],
    ['2100-01-01T00:59:59+01:00', '2099-12-31T23:59:59.000Z'],
  ])('takes %s for %s', (text, instant) => {
    expect(new Date(readTime(text) ?? Number.NaN).toISOString()).toBe(instant);
    expect(timeOf(text)).toBe(readTime(text));
  });

  it.each([
    ['a day that the month has not', '2026-02-30T00:00:00Z'],
    ['a leap day of a common year', '2026-02-29T00:00:00Z'],
    ['a 31st of a short month', '2026-04-31T00:00:00Z'],
    ['a 32nd', '2026-01-32T00:00:00Z'],
    ['a 0th', '2026-01-00T00:00:00Z'],
    ['a month 13', '2026-13-01T00:00:00Z'],
    ['a month 0', '2026-00-01T00:00:00Z'],
    ['the hour 24', '2026-01-01T24:00:00Z'],
    ['the minute 60', '2026-01-01T00:60:00Z'],
    ['a leap second', '2016-12-31T23:59:60Z'],
    ['an offset of 24 hours', '2026-01-01T00:00:00+24:00'],
    ['an offset of 60 minutes', '2026-01-01T00:00:00+00:60'],
    ['an offset without a colon', '2026-01-01T00:00:00+0100'],
    ['no offset', '2026-01-01T00:00:00'],
    ['no time', '2026-01-01'],
    ['no seconds', '2026-01-01T00:00Z'],
    ['a space for the T', '2026-01-01 00:00:00Z'],
    ['lower case', '2026-01-01t00:00:00z'],
    ['an empty fraction', '2026-01-01T00:00:00.Z'],
    ['a fraction of ten digits', '2026-01-01T00:00:00.0123456789Z'],
    ['a year of six digits', '+010000-01-01T00:00:00Z'],
    ['a year before Christ', '-000001-01-01T00:00:00Z'],
    ['the last instant before the range', '1999-12-31T23:59:59.999Z'],
    ['the first instant after the range', '2100-01-01T00:00:00Z'],
    ['a local time in the range whose instant is before it', '2000-01-01T00:59:59+01:00'],
    ['a local time in the range whose instant is after it', '2099-12-31T23:00:00-01:00'],
    ['the year 0', '0000-01-01T00:00:00Z'],
    ["an ERP's never", '9999-12-31T23:59:59Z'],
    ['other digits', '２０２６-01-01T00:00:00Z'],
    ['a line feed after it', '2026-01-01T00:00:00Z\n'],
    ['a space before it', ' 2026-01-01T00:00:00Z'],
    ['milliseconds', '1772319599500'],
    ['nothing', ''],
    ['what Date.parse knows besides', 'Thu, 01 Jan 2026 00:00:00 GMT'],
  ])('refuses %s: %s', (_what, text) => {
    expect(readTime(text)).toBeNull();
    expect(() => timeOf(text)).toThrow(RangeError);
  });

  const parts = fc.record({
    year: fc.integer({ min: 1990, max: 2110 }),
    month: fc.integer({ min: 0, max: 13 }),
    day: fc.oneof(fc.integer({ min: 0, max: 32 }), fc.integer({ min: 27, max: 32 })),
    hour: fc.integer({ min: 0, max: 25 }),
    minute: fc.integer({ min: 0, max: 61 }),
    second: fc.integer({ min: 0, max: 61 }),
    millisecond: fc.integer({ min: 0, max: 999 }),
  });

  it('takes a text exactly if its date and time are real and in range, and then tells the same instant', () => {
    fc.assert(
      fc.property(parts, ({ year, month, day, hour, minute, second, millisecond }) => {
        const text = `${pad(year, 4)}-${pad(month)}-${pad(day)}T${pad(hour)}:${pad(minute)}:${pad(second)}.${pad(millisecond, 3)}Z`;
        // Parts that roll over come back as others.
        const at = Date.UTC(year, month - 1, day, hour, minute, second, millisecond);
        const isReal = new Date(at).toISOString() === text;
        expect(readTime(text)).toBe(isReal && at >= TIME_MIN_MS && at < TIME_END_MS ? at : null);
      }),
      { numRuns: 2_000 },
    );
  });

  it('tells the same instant whatever the offset, and answers it within the range', () => {
    const instants = fc.integer({ min: TIME_MIN_MS - 90_000_000, max: TIME_END_MS + 90_000_000 });
    const offsets = fc.integer({ min: -(23 * 60 + 59), max: 23 * 60 + 59 });
    fc.assert(
      fc.property(instants, offsets, (at, offset_minutes) => {
        const local = new Date(at + offset_minutes * 60_000).toISOString().slice(0, -1);
        const [hours, minutes] = [Math.trunc(Math.abs(offset_minutes) / 60), Math.abs(offset_minutes) % 60];
        const text = `${local}${offset_minutes < 0 ? '-' : '+'}${pad(hours)}:${pad(minutes)}`;
        expect(readTime(text)).toBe(at >= TIME_MIN_MS && at < TIME_END_MS ? at : null);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes no text at all that Date.parse would understand as another day', () => {
    const texts = fc.tuple(
      fc.integer({ min: 2000, max: 2099 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 31 }),
    );
    fc.assert(
      fc.property(texts, ([year, month, day]) => {
        const text = `${year}-${pad(month)}-${pad(day)}T00:00:00Z`;
        const isRolledOver = !new Date(text).toISOString().startsWith(text.slice(0, 10));
        expect(readTime(text) === null).toBe(isRolledOver);
      }),
      { numRuns: 2_000 },
    );
  });
});
