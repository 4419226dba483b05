import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventId } from './event-id.ts';

const part = fc.oneof(
  fc.constantFrom('a', 'a/b', 'b', '/', '%2F', 'a%2Fb', '1', 'é'),
  fc.string({ unit: 'grapheme' }),
  fc.nat(9),
);
const parts = fc.array(part, { minLength: 1, maxLength: 4 });

it('ids are visible ASCII, and different parts have different ids', () => {
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      expect(eventId('sku', ...one)).toMatch(/^[!-~]+$/);
      expect(eventId('sku', ...one) === eventId('sku', ...other)).toBe(
        one.map(String).join('\0') === other.map(String).join('\0'),
      );
    }),
    { numRuns: 1_000 },
  );
});

it('an id is short enough for an index, and is still another for other parts', () => {
  const long = (last: string): string => eventId('broken', '\u{1f600}'.repeat(254) + last, '\u{1f600}'.repeat(255), 7);
  expect(long('a').length).toBeLessThan(100);
  expect(long('a')).not.toBe(long('b'));
  expect(long('a')).toBe(long('a'));
});
