import { describe, expect, it } from '@jest/globals';
import { BackOff } from './back-off.ts';

/** How many batches in a row do without, before the next one tries again. */
function without(backOff: BackOff): number {
  let count = 0;
  while (!backOff.mayTry()) count += 1;
  return count;
}

describe('backing off', () => {
  it('does not begin before the first failure', () => {
    expect(without(new BackOff())).toBe(0);
  });

  it('lasts for twice as many batches with each failure, up to a bound', () => {
    const backOff = new BackOff();
    const spans = Array.from({ length: 9 }, () => {
      backOff.failed();
      return without(backOff);
    });
    expect(spans).toEqual([4, 8, 16, 32, 64, 128, 256, 256, 256]);
  });

  it('ends and begins anew once it worked', () => {
    const backOff = new BackOff();
    backOff.failed();
    backOff.failed();
    backOff.worked();
    expect(without(backOff)).toBe(0);
    backOff.failed();
    expect(without(backOff)).toBe(4);
  });
});
