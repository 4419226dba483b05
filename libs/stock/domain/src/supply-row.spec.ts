import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ACCOUNTS } from './posting.ts';
import { emptyRow, onHand, supplyRowOf, unitsOf } from './supply-row.ts';
import { STOCK_STATES, type StateUnits } from './stock-states.ts';
import { validRow } from './testing/arbitraries.ts';

/** A different number for each state, so that none can be taken for another. */
const NUMBERED = STOCK_STATES.map((_, place) => place + 1) as unknown as StateUnits;

describe('a stock row', () => {
  it('has the fields of the list, in its order, after the node', () => {
    expect(Object.keys(emptyRow(1))).toEqual(['node', ...STOCK_STATES.map(({ field }) => field)]);
  });

  it('is made of units told in the order of the list', () => {
    expect(supplyRowOf(7, NUMBERED)).toEqual({
      node: 7,
      ...Object.fromEntries(STOCK_STATES.map(({ field }, place) => [field, place + 1])),
    });
  });

  it('tells its units in the order in which it is made of them', () => {
    expect(unitsOf(supplyRowOf(7, NUMBERED))).toEqual(NUMBERED);
    fc.assert(fc.property(validRow, (row) => expect(supplyRowOf(row.node, unitsOf(row))).toEqual(row)));
  });

  it('is empty with no unit in any state', () => {
    expect(unitsOf(emptyRow(3))).toEqual(STOCK_STATES.map(() => 0));
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
  it('are what ledgers have stored since the first', () => {
    expect(Object.fromEntries(ACCOUNTS.map((account, code) => [account, code]))).toEqual({
      external: 0,
      available: 1,
      committed: 2,
      reserved: 3,
      safety_stock: 4,
      damaged: 5,
      quality_control: 6,
      shortfall: 7,
      overdrawn: 8,
    });
  });
});
