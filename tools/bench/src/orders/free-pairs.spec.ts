import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seeded } from '../measuring/seeded.ts';
import { FreePairs } from './free-pairs.ts';
import type { Order, Pair } from './order-desk.ts';

const order = (id: string): Order => ({ id, version: 2, node: 'n1' });
const pairs = (count: number): readonly Pair[] =>
  Array.from({ length: count }, (_, place) => [order(`a-${place}`), order(`b-${place}`)]);

describe('free pairs', () => {
  it('are given to one taker at a time, and none is lost', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 20 }), (seed, counts) => {
        const all = pairs(10);
        const free = new FreePairs(all, seeded(seed));
        for (const count of counts) {
          const [one, other] = [free.take(count), free.take(count)];
          expect(new Set([...one, ...other, ...free.all]).size).toBe(all.length);
          free.giveBack(one);
          free.giveBack(other);
        }
        expect(new Set(free.all)).toEqual(new Set(all));
      }),
    );
  });

  it('are not taken twice when too many are asked for', () => {
    expect(() => new FreePairs(pairs(2), seeded(1)).take(3)).toThrow('all pairs are being swapped');
  });
});
