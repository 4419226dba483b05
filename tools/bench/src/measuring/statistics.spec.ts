import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { median, medianOfAll, percentile, ratios, spreadOf } from './statistics.ts';

const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 60 });

describe('median', () => {
  it.each([
    [[3], 3],
    [[1, 9], 5],
    [[9, 1, 4], 4],
    [[4, 1, 3, 2], 2.5],
  ])('of %j is %d', (list, expected) => {
    expect(median(list)).toBe(expected);
  });

  it('lies within the spread and leaves its input as it was', () => {
    fc.assert(
      fc.property(values, (list) => {
        const copy = [...list];
        const { median: middle, min, max } = spreadOf(list);
        expect(list).toEqual(copy);
        expect(middle).toBeGreaterThanOrEqual(min);
        expect(middle).toBeLessThanOrEqual(max);
      }),
    );
  });

  it('of nothing is refused', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('the median of all', () => {
  it.each([
    [[3, 1, 2], 2],
    [[3, null, 2], null],
  ])('of %j is %p: what could not be measured once has none', (list, expected) => {
    expect(medianOfAll(list)).toBe(expected);
  });
});

describe('percentile', () => {
  it.each([
    [0.5, 50],
    [0.99, 99],
    [0.991, 100],
    [1, 100],
    [0, 1],
  ])('takes the nearest rank: %d of 1 … 100 is %d', (share, expected) => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(hundred, share)).toBe(expected);
  });

  it('is a measured value that the share does not exceed', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (list, share) => {
        const found = percentile(list, share);
        expect(list).toContain(found);
        expect(list.filter((value) => value <= found).length).toBeGreaterThanOrEqual(share * list.length);
      }),
    );
  });
});

describe('ratios', () => {
  it('are taken round by round', () => {
    expect(ratios([10, 30], [5, 10])).toEqual([2, 3]);
  });

  it('of different numbers of rounds are refused', () => {
    expect(() => ratios([1], [1, 2])).toThrow(RangeError);
  });
});
