import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ACCOUNTS } from './posting.ts';
import { emptyRow, isSamePlace, onHand, stockAt, supplyRowOf, unitsOf } from './supply-row.ts';
import { STOCK_STATES, type StateUnits } from './stock-states.ts';
import { futureRow, row as rowOf, validRow } from './testing/arbitraries.ts';

/** A different number for each state, so that none can be taken for another. */
const NUMBERED = STOCK_STATES.map((_, place) => place + 1) as unknown as StateUnits;

describe('a row of the book', () => {
  it('has the fields of the list, in its order, after its key and place', () => {
    const fields = STOCK_STATES.map(({ field }) => field);
    expect(Object.keys(emptyRow(stockAt(1)))).toEqual(['key', 'node', 'kind', 'detail', ...fields]);
  });

  it('is made of units told in the order of the list', () => {
    expect(supplyRowOf(5, 7, NUMBERED, 'incoming', 3)).toEqual({
      key: 5,
      node: 7,
      kind: 'incoming',
      detail: 3,
      ...Object.fromEntries(STOCK_STATES.map(({ field }, place) => [field, place + 1])),
    });
  });

  it('tells its units in the order in which it is made of them', () => {
    expect(unitsOf(supplyRowOf(5, 7, NUMBERED))).toEqual(NUMBERED);
    fc.assert(
      fc.property(fc.oneof(validRow, futureRow), (row) =>
        expect(supplyRowOf(row.key, row.node, unitsOf(row), row.kind, row.detail)).toEqual(row),
      ),
    );
  });

  it('is of what is there, if not said otherwise', () => {
    expect(supplyRowOf(5, 7, NUMBERED)).toMatchObject({ key: 5, node: 7, kind: 'stock', detail: 0 });
  });

  it('is empty with no unit in any state', () => {
    expect(unitsOf(emptyRow(stockAt(3)))).toEqual(STOCK_STATES.map(() => 0));
  });

  it('has no key until it is written', () => {
    const place = { node: 3, kind: 'incoming', detail: 8 } as const;
    expect(emptyRow(place)).toMatchObject({ key: 0, ...place });
  });

  it('is told from others by its place, whatever it has', () => {
    const place = { node: 1, kind: 'incoming', detail: 2 } as const;
    expect(isSamePlace(rowOf({ key: 4, available: 9, ...place }), place)).toBe(true);
    for (const other of [{ node: 2 }, { kind: 'stock' }, { detail: 3 }] as const)
      expect(isSamePlace(rowOf({ ...place, ...other }), place)).toBe(false);
  });

  it('has on hand what its states on hand have together, less its shortfall', () => {
    fc.assert(
      fc.property(validRow, (row) => {
        const states = STOCK_STATES.filter(({ kind }) => kind === 'on_hand').map(({ field }) => row[field]);
        expect(onHand(row)).toBe(states.reduce((sum, units) => sum + units, 0) - row.shortfall);
      }),
    );
  });
});

describe('the codes of accounts', () => {
  it('are what ledgers store', () => {
    expect(Object.fromEntries(ACCOUNTS.map((account, code) => [account, code]))).toEqual({
      external: 0,
      expected: 1,
      available: 2,
      committed: 3,
      reserved: 4,
      safety_stock: 5,
      damaged: 6,
      quality_control: 7,
      shortfall: 8,
      overdrawn: 9,
      unapplied: 10,
    });
  });
});
