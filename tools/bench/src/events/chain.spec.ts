import { describe, expect, it } from '@jest/globals';
import { delaysMs, missingVersions } from './chain.ts';

const step = (fromVersion: number, toVersion: number, sku = 'a') => ({ sku, fromVersion, toVersion });

describe('missingVersions', () => {
  it.each([
    ['a whole chain', [step(0, 2), step(2, 5)], 0],
    ['a chain that came out of order', [step(2, 5), step(0, 2)], 0],
    ['facts told twice', [step(0, 2), step(0, 2), step(2, 5)], 0],
    ['a hole of two versions', [step(0, 1), step(3, 5)], 2],
    ['a beginning that is missing', [step(1, 5)], 1],
    ['an end that is missing', [step(0, 4)], 1],
    ['no fact at all', [], 5],
  ])('counts over %s', (_what, steps, expected) => {
    expect(missingVersions(steps, new Map([['a', 5]]))).toBe(expected);
  });

  it('counts each SKU for itself', () => {
    const versions = new Map([
      ['a', 2],
      ['b', 3],
    ]);
    expect(missingVersions([step(0, 2, 'a'), step(0, 1, 'b')], versions)).toBe(2);
  });
});

describe('delaysMs', () => {
  const facts = [
    { ...step(0, 2), at: 100 },
    { ...step(2, 3), at: 130 },
  ];
  const answer = (version: number, at: number) => ({ sku: 'a', version, at });

  it('runs from the answer to the fact that covers its version', () => {
    expect(delaysMs([answer(1, 90), answer(3, 110)], facts)).toEqual([10, 20]);
  });

  it('is 0 when the fact was here before the answer, and null when there is none', () => {
    expect(delaysMs([answer(2, 105), answer(4, 90)], facts)).toEqual([0, null]);
  });
});
