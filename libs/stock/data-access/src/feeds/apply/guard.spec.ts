import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GUARD_LIMITS, type Zeroes, waitReasons } from './guard.ts';

const FULL = { completeness: 'full', unreadable: 0, max_zeroed_percent: null } as const;
const outlook = (more: Partial<Zeroes>): Zeroes => ({
  wouldZero: more.wouldZeroAbsent ?? 0,
  wouldZeroAbsent: 0,
  nonZero: 100,
  unknownSkus: 0,
  ...more,
});

const NO_STATES = { wouldZero: 0, wouldZeroAbsent: 0, nonZero: 0 };

describe('a full count', () => {
  it.each<[string, Partial<Zeroes>, object, readonly string[]]>([
    ['that zeroes a fifth passes', { wouldZero: 20 }, {}, []],
    ['that zeroes more than a fifth waits', { wouldZero: 21 }, {}, ['zeroes_many']],
    ['of few rows may zero them all', { wouldZero: 49, nonZero: 49 }, {}, []],
    ['of fifty rows may not', { wouldZero: 50, nonZero: 50 }, {}, ['zeroes_many']],
    ['waits by a stricter limit of its own', { wouldZero: 6 }, { max_zeroed_percent: 5 }, ['zeroes_many']],
    ['and that counts for few rows, too', { wouldZero: 1, nonZero: 3 }, { max_zeroed_percent: 0 }, ['zeroes_many']],
    ['has no laxer limit of its own', { wouldZero: 21 }, { max_zeroed_percent: 100 }, ['zeroes_many']],
    ['with as many new names as absent rows waits', { wouldZeroAbsent: 2, unknownSkus: 2 }, {}, ['unknown_skus']],
    ['with fewer of them passes', { wouldZeroAbsent: 2, unknownSkus: 1 }, {}, []],
    ['with new names and nothing absent passes', { unknownSkus: 9 }, {}, []],
    [
      'waits for an unreadable line if a row is absent',
      { wouldZeroAbsent: 1 },
      { unreadable: 1 },
      ['unreadable_lines'],
    ],
    ['with unreadable lines and nothing absent passes', { wouldZero: 3 }, { unreadable: 1 }, []],
    ['of states waits for them alone', { states: { ...NO_STATES, wouldZero: 11, nonZero: 51 } }, {}, ['zeroes_many']],
    ['that zeroes few of them passes', { wouldZero: 20, states: { ...NO_STATES, wouldZero: 10, nonZero: 51 } }, {}, []],
    [
      'waits for states that are absent',
      { states: { wouldZero: 2, wouldZeroAbsent: 2, nonZero: 9 }, unknownSkus: 2 },
      { unreadable: 1 },
      ['unknown_skus', 'unreadable_lines'],
    ],
  ])('%s', (_rule, numbers, feed, reasons) => {
    expect(waitReasons({ ...FULL, ...feed }, outlook(numbers), GUARD_LIMITS)).toEqual(reasons);
    expect(waitReasons({ ...FULL, ...feed, completeness: 'partial' }, outlook(numbers), GUARD_LIMITS)).toEqual([]);
  });

  it('never waits less for a limit of its own, and never for the share alone where the app’s is 100', () => {
    const counts = fc.record({ wouldZero: fc.nat(200), nonZero: fc.integer({ min: 200, max: 400 }) });
    fc.assert(
      fc.property(counts, fc.nat(100), fc.nat(100), (numbers, own, zeroedPercent) => {
        const limits = { zeroedPercent, minRows: 50 };
        const plain = waitReasons(FULL, outlook(numbers), limits);
        const stricter = waitReasons({ ...FULL, max_zeroed_percent: own }, outlook(numbers), limits);
        expect(stricter).toEqual(expect.arrayContaining([...plain]));
        expect(waitReasons(FULL, outlook(numbers), { ...limits, zeroedPercent: 100 })).toEqual([]);
      }),
    );
  });
});
