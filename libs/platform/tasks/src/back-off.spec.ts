import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pauseAfterMs } from './back-off.ts';

describe('the pause after a failed attempt', () => {
  it('doubles up to a minute', () => {
    expect([1, 2, 3, 9, 10, 1_000].map((attempt) => pauseAfterMs(attempt, 1))).toEqual([
      200, 400, 800, 51_200, 60_000, 60_000,
    ]);
  });

  it('is spread over its latter half, and never ends', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, fraction) => {
          const longestMs = pauseAfterMs(attempt, 1);
          expect(pauseAfterMs(attempt, fraction)).toBeGreaterThanOrEqual(longestMs / 2);
          expect(pauseAfterMs(attempt, fraction)).toBeLessThanOrEqual(longestMs);
        },
      ),
    );
  });
});
