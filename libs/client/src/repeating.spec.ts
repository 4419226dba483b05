import { describe, expect, it } from '@jest/globals';
import { RETRY_DEFAULTS, asksForRepeat, leavesOutcomeOpen, pauseMsAfter } from './repeating.ts';

const problem = (code: string, retryable: boolean) => ({ code, retryable, type: '', title: '', status: 0 });

describe('what an answer asks for', () => {
  // Status, body, Retry-After; whether the call is repeated, and whether it may have taken effect.
  it.each<[string, number, unknown, number | undefined, boolean, boolean]>([
    ['busy', 503, problem('service.overloaded', true), 1, true, false],
    ['away', 503, problem('service.unavailable', true), 1, true, false],
    ['too many at once', 429, problem('limit.rate', true), 1, true, false],
    ['nobody knows', 503, problem('outcome.unknown', true), 1, true, true],
    ['nobody knows, nor when', 503, problem('outcome.unknown', true), undefined, true, true],
    ['not there yet', 409, problem('version.not_reached', true), 1, true, false],
    ['sold out', 409, problem('stock.insufficient', true), undefined, false, false],
    ['another body', 409, problem('idempotency.mismatch', false), undefined, false, false],
    ['no such SKU', 404, problem('sku.unknown', false), undefined, false, false],
    ['invalid', 400, problem('request.invalid', false), undefined, false, false],
    ['too slow a request', 408, problem('request.timeout', true), 1, false, false],
    ['no key', 401, problem('auth.missing', false), undefined, false, false],
    ['a bug', 500, problem('internal', false), undefined, false, true],
    ['too long a ledger', 503, problem('ledger.too_long', false), undefined, false, false],
    ['a proxy whose app is gone', 502, undefined, undefined, true, true],
    ['a proxy that knows no such page', 404, undefined, undefined, false, true],
    ['a proxy that counts', 429, undefined, 3, true, false],
    ['a page in place of an answer', 200, undefined, undefined, false, true],
  ])('%s: %s', (_what, status, body, retryAfterSeconds, isRepeated, isOpen) => {
    const reply = { status, body, retryAfterSeconds };
    expect([asksForRepeat(reply), leavesOutcomeOpen(reply)]).toEqual([isRepeated, isOpen]);
  });
});

describe('the pause before the next attempt', () => {
  it.each<[number, number, number | undefined, number]>([
    [1, 0, undefined, 0],
    [1, 0.5, undefined, 50],
    [3, 0.5, undefined, 200],
    [50, 0.5, undefined, 2_500],
    [1, 0, 2, 2_000],
    [2, 0.5, 2, 2_100],
  ])('after attempt %d, by chance %d, Retry-After %s: %d ms', (attempt, fraction, retryAfterSeconds, expectedMs) => {
    expect(pauseMsAfter(attempt, fraction, retryAfterSeconds, RETRY_DEFAULTS)).toBe(expectedMs);
  });
});
