import { describe, expect, it } from '@jest/globals';
import { backoffMs, callsForRetry, leavesOutcomeOpen } from './backoff.ts';

describe('backoff', () => {
  it('doubles from 100 ms to 2 s, half of it at random', () => {
    expect([0, 1, 2, 3, 4, 5, 50].map((attempt) => backoffMs(attempt, 0, undefined))).toEqual([
      50, 100, 200, 400, 800, 1_000, 1_000,
    ]);
    expect(backoffMs(50, 0.999_999, undefined)).toBeCloseTo(2_000, 1);
  });

  it('waits at least as long as Retry-After says in seconds', () => {
    expect(backoffMs(0, 0, 3)).toBe(3_000);
    expect(backoffMs(2, 0, 0)).toBe(200);
  });

  it.each([
    [200, undefined, false, false],
    [409, 'stock.insufficient', false, false],
    [429, 'request.too_many', true, false],
    [503, 'service.unavailable', true, false],
    [503, 'outcome.unknown', true, true],
    [500, 'internal', true, true],
    [502, undefined, true, true],
  ])('treats %s %s as retryable %s, outcome open %s', (status, code, retryable, open) => {
    expect([callsForRetry(status), leavesOutcomeOpen(status, code)]).toEqual([retryable, open]);
  });
});
