import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countInspections, decideInspection } from './decide-inspection.ts';
import type { SupplyRow } from './supply-row.ts';
import { rowAt, suppliesAfter } from './supply.ts';
import { row, suppliesOf, supplyOf, validRow } from './testing/arbitraries.ts';
import { expectLawful } from './testing/reserved.ts';

const inspect = (before: Partial<SupplyRow>, open: number, approved: number, rejected: number) => {
  const supplies = suppliesOf(supplyOf(1, [row(before)]));
  const decision = decideInspection({ sku: 1, node: 1, open }, { approved, rejected }, supplies);
  if (!decision.ok) return decision.rejection;
  const { effect, ...rest } = decision.value;
  return { ...rest, row: rowAt(suppliesAfter(supplies, effect).get(1)!, 1) };
};

describe('an inspection', () => {
  it.each<
    [
      string,
      Partial<SupplyRow>,
      readonly [open: number, approved: number, rejected: number],
      Partial<SupplyRow>,
      readonly [approved: number, rejected: number, missing: number, open: number],
    ]
  >([
    ['is approved as a whole', { qualityControl: 5 }, [5, 5, 0], { available: 5 }, [5, 0, 0, 0]],
    ['is approved in part', { qualityControl: 5 }, [5, 2, 0], { available: 2, qualityControl: 3 }, [2, 0, 0, 3]],
    ['rejects what is damaged', { qualityControl: 5 }, [5, 2, 3], { available: 2, damaged: 3 }, [2, 3, 0, 0]],
    [
      'heals promises with what it approves',
      { qualityControl: 5, committed: 3, shortfall: 3 },
      [5, 5, 0],
      { available: 2, committed: 3 },
      [5, 0, 0, 0],
    ],
    [
      'moves what the row still has of it, and tells the rest as missing',
      { qualityControl: 2 },
      [5, 5, 0],
      { available: 2 },
      [2, 0, 3, 0],
    ],
    [
      'finds rejected units before approved ones',
      { qualityControl: 2 },
      [5, 3, 1],
      { available: 1, damaged: 1 },
      [1, 1, 2, 1],
    ],
    [
      'leaves what belongs to others',
      { qualityControl: 9 },
      [5, 5, 0],
      { available: 5, qualityControl: 4 },
      [5, 0, 0, 0],
    ],
  ])('%s', (_, before, [open, approved, rejected], after, [good, bad, missing, left]) =>
    expect(inspect(before, open, approved, rejected)).toEqual({
      row: row(after),
      moved: { approved: good, rejected: bad },
      missing,
      open: left,
    }),
  );

  it('is not judged beyond what is open', () =>
    expect(inspect({ qualityControl: 9 }, 5, 3, 3)).toEqual({ code: 'inspection.exceeds_open', open: 5 }));

  it.each([
    ['approved', { available: 5, qualityControl: 4 }],
    ['rejected', { damaged: 5, qualityControl: 4 }],
  ] as const)('is %s as a whole by a word', (all, after) => {
    const supplies = suppliesOf(supplyOf(1, [row({ qualityControl: 9 })]));
    const decision = decideInspection({ sku: 1, node: 1, open: 5 }, { all }, supplies);
    expect(decision.ok && rowAt(suppliesAfter(supplies, decision.value.effect).get(1)!, 1)).toEqual(row(after));
    expect(decideInspection({ sku: 1, node: 1, open: 0 }, { all }, supplies)).toMatchObject({ ok: false });
  });

  it('changes nothing physical, and every judged unit is moved or missing', () => {
    fc.assert(
      fc.property(validRow, fc.nat(9), fc.nat(9), (before, approved, rejected) => {
        const supplies = suppliesOf(supplyOf(1, [{ ...before, committed: 0, reserved: 0, shortfall: 0 }]));
        const decision = decideInspection({ sku: 1, node: 1, open: 20 }, { approved, rejected }, supplies);
        if (!decision.ok) throw new Error(decision.rejection.code);
        const { effect, moved, missing, open } = decision.value;
        expectLawful(supplies, effect, []);
        expect([moved.approved + moved.rejected + missing, open]).toEqual([
          approved + rejected,
          20 - approved - rejected,
        ]);
      }),
    );
  });
});

describe('inspections of a row of which so many units are counted', () => {
  it.each<[string, readonly number[], number, readonly number[], number]>([
    ['stay as they are where all of them are there', [3, 2], 5, [0, 0], 0],
    ['lose the oldest units where fewer are there', [3, 2], 1, [3, 1], 0],
    ['lose all where none is there', [3, 2], 0, [3, 2], 0],
    ['do not speak of what is there beyond them', [3, 2], 9, [0, 0], 4],
    ['are none where none was open', [], 4, [], 4],
  ])('%s', (_, open, counted, missing, beyond) => {
    expect(countInspections(open, counted)).toEqual({ missing, beyond });
  });

  it('speak of as many units as were counted, and none of more than before', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 })), fc.nat(40), (open, counted) => {
        const { missing, beyond } = countInspections(open, counted);
        const left = open.map((units, place) => units - (missing[place] ?? 0));
        expect(left.reduce((sum, units) => sum + units, beyond)).toBe(counted);
        expect(left.every((units, place) => units >= 0 && units <= (open[place] ?? 0))).toBe(true);
        // The newest keep their units.
        const first = left.findIndex((units) => units > 0);
        expect(left.slice(first + 1)).toEqual(first < 0 ? left : open.slice(first + 1));
      }),
    );
  });
});
