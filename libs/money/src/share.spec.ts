import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { share } from './share.ts';

const amount = fc.maxSafeInteger();
const weights = fc
  .array(fc.oneof(fc.nat(5), fc.nat(1_000_000)), { minLength: 1, maxLength: 12 })
  .filter((all) => all.some((weight) => weight > 0));
const sum = (all: readonly (number | bigint)[]): bigint => all.reduce<bigint>((one, other) => one + BigInt(other), 0n);

describe('shares', () => {
  it.each([
    [1_000, [1, 1, 1], [334, 333, 333]],
    [1_000, [1, 2], [333, 667]],
    [2, [1, 1, 1], [1, 1, 0]],
    [-2, [1, 1, 1], [-1, -1, 0]],
    [7, [0, 3, 0], [0, 7, 0]],
    [0, [0, 0], [0, 0]],
    [5_700, [1, 1, 1], [1_900, 1_900, 1_900]],
  ])('of %d by %j are %j', (of, by, expected) => expect(share(of, by)).toEqual(expected));

  it('sum to what is shared', () => {
    fc.assert(
      fc.property(amount, weights, (of, by) => {
        expect(sum(share(of, by))).toBe(BigInt(of));
      }),
    );
  });

  it('are each exact but for less than one, and nothing of what has no weight', () => {
    fc.assert(
      fc.property(amount, weights, (of, by) => {
        const all = sum(by);
        for (const [place, one] of share(of, by).entries()) {
          const missing = BigInt(one) * all - BigInt(of) * BigInt(by[place] ?? 0);
          expect(missing < all && missing > -all).toBe(true);
          if (by[place] === 0) expect(one).toBe(0);
        }
      }),
    );
  });

  it('of equal weights differ by one at most, and the earlier is never the smaller', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 50 }), (of, count) => {
        const shares = share(of, new Array<number>(count).fill(1));
        for (const [place, one] of shares.entries())
          if (place > 0) expect([0, 1]).toContain((shares[place - 1] ?? 0) - one);
      }),
    );
  });

  it.each([
    [1, [0, 0]],
    [1, []],
    [1.5, [1]],
    [1, [-1, 2]],
    [1, [0.5]],
  ])('of %d by %j are not defined', (of, by) => {
    expect(() => share(of, by)).toThrow();
  });
});
