import { describe, expect, it } from '@jest/globals';
import { Trust } from './trust.ts';

/** How many batches in a row do without, before the next one relies again. */
function without(trust: Trust): number {
  let count = 0;
  while (!trust.takes()) count += 1;
  return count;
}

describe('trust', () => {
  it('is there from the first', () => {
    expect(without(new Trust())).toBe(0);
  });

  it('is given up for twice as many batches with each failure, up to a bound', () => {
    const trust = new Trust();
    const spans = Array.from({ length: 9 }, () => {
      trust.failed();
      return without(trust);
    });
    expect(spans).toEqual([4, 8, 16, 32, 64, 128, 256, 256, 256]);
  });

  it('is whole again once it held', () => {
    const trust = new Trust();
    trust.failed();
    trust.failed();
    trust.held();
    expect(without(trust)).toBe(0);
    trust.failed();
    expect(without(trust)).toBe(4);
  });
});
