import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { partitionOf } from './partition-of.ts';

describe('partitionOf', () => {
  it('answers the same for ever, since the answer is stored', () => {
    expect(['', 'A', '85123A', 'ord_1', 'größe'].map((key) => partitionOf(key, 1_024))).toEqual([
      257, 76, 252, 171, 969,
    ]);
  });

  it('is always one of the partitions', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 32_767 }), (key, count) => {
        const partition = partitionOf(key, count);
        return Number.isInteger(partition) && partition >= 0 && partition < count;
      }),
    );
  });

  it('spreads consecutive codes evenly', () => {
    const counts = new Array<number>(8).fill(0);
    for (let code = 0; code < 8_000; code += 1) {
      const partition = partitionOf(`SKU-${code}`, 8);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1_150);
  });
});
