import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Reservation, open } from './reservation.ts';
import {
  type SelectedUnits,
  type UnitSelector,
  inLineOrder,
  isSelected,
  leastAdvanced,
  refOf,
  selectUnits,
  splitOpen,
  unitsMissing,
} from './select-units.ts';
import { NODES, backing, lineId, reserved, reservedWorld, unbacked } from './testing/reserved.ts';

const mine = reserved([
  backing(1, { confirmed: 2, fulfilment: 'F', accepted: 2 }),
  backing(1, { confirmed: 3, fulfilment: 'G' }),
  backing(2, { held: 4, line: 1, sku: 2 }),
  backing(2, { held: 1, line: 1, sku: 2, kind: 'incoming', detail: 5 }),
  unbacked({ confirmed: 5 }),
  backing(0, { held: 6, line: 2, sku: 2, kind: 'allowance' }),
]);
const numbers = (selector: UnitSelector, of: Reservation = mine): readonly number[] =>
  of.backings.filter((one) => isSelected(of, selector, one)).map(({ no }) => no);

describe('what a selector means', () => {
  it.each<[string, UnitSelector, readonly number[]]>([
    ['nothing: everything', {}, [0, 1, 2, 3, 4, 5]],
    ['a line', { line: 'b' }, [2, 3]],
    ['a line that there is not', { line: 'z' }, []],
    ['a SKU', { sku: 2 }, [2, 3, 5]],
    ['a node: what is there, and what is to come there', { node: 2 }, [2, 3]],
    ['no node: neither a row nor, of an allowance, a node in particular', { node: null }, [4, 5]],
    ['a fulfilment', { fulfilment: 'F' }, [0]],
    ['no fulfilment', { fulfilment: null }, [2, 3, 4, 5]],
    ['several of these: all of them', { line: 'a', node: 1, fulfilment: 'G' }, [1]],
    ['several that never meet', { line: 'a', sku: 2 }, []],
  ])('is %s', (_, selector, expected) => expect(numbers(selector)).toEqual(expected));

  it('is a line by the name of its client, whichever SKU it has or had', () => {
    const renamed = { ...mine, lines: mine.lines.map((line) => ({ ...line, id: line.no < 2 ? 'x' : 'y' })) };
    expect(numbers({ line: 'x' }, renamed)).toEqual([0, 1, 2, 3, 4]);
    expect(numbers({ line: 'x', sku: 2 }, renamed)).toEqual([2, 3]);
  });
});

describe('which of them go first', () => {
  it('in line order: of a line, those that were made first', () =>
    expect(mine.backings.toSorted(inLineOrder).map(({ no }) => no)).toEqual([0, 1, 4, 2, 3, 5]));

  it('least advanced: on no row, then to come, then free, then those of a node, by how far it has come', () =>
    expect(mine.backings.toSorted(leastAdvanced).map(({ no }) => no)).toEqual([4, 3, 5, 2, 1, 0]));

  it.each<[string, SelectedUnits, readonly (readonly number[])[] | null]>([
    ['some of the first', { line: 'a', quantity: 1 }, [[0, 1]]],
    [
      'all of the first, and some of the next',
      { line: 'a', quantity: 4 },
      [
        [0, 2],
        [1, 2],
      ],
    ],
    [
      'all there are',
      { line: 'a', quantity: 10 },
      [
        [0, 2],
        [1, 3],
        [4, 5],
      ],
    ],
    ['nothing if there are fewer', { line: 'a', quantity: 11 }, null],
    ['nothing if nothing is asked for', { line: 'a', quantity: 0 }, []],
  ])('takes %s', (_, selected, expected) =>
    expect(
      selectUnits(mine, selected, open, inLineOrder)?.map(({ backing: { no }, quantity }) => [no, quantity]) ?? null,
    ).toEqual(expected),
  );

  it('says of too few what was meant, and how many there are', () =>
    expect(unitsMissing(mine, { line: 'a', node: 1, quantity: 9 }, ({ confirmed }) => confirmed)).toEqual({
      code: 'reservation.units_missing',
      at: { line: 'a', node: 1, sku: undefined, fulfilment: undefined },
      there: 5,
    }));
});

describe('laws of selecting', () => {
  const selection = fc.record(
    {
      line: fc.constantFrom(lineId(0), lineId(1)),
      sku: fc.constantFrom(1, 2),
      node: fc.constantFrom(...NODES, null),
      fulfilment: fc.constantFrom(null, 'F', 'G'),
      quantity: fc.nat(8),
    },
    { requiredKeys: ['quantity'] },
  );
  it('takes exactly what was asked for, of what was meant and in that order, or there is less', () => {
    fc.assert(
      fc.property(
        reservedWorld,
        selection,
        fc.constantFrom(inLineOrder, leastAdvanced),
        ({ reservations: [one] }, selected, order) => {
          const units = selectUnits(one!, selected, open, order);
          const { there } = unitsMissing(one!, selected, open);
          expect(units === null).toBe(there < selected.quantity);
          if (!units) return;
          expect(units.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(selected.quantity);
          for (const [place, { backing: taken, quantity }] of units.entries()) {
            expect(isSelected(one!, selected, taken)).toBe(true);
            expect(quantity).toBeGreaterThan(0);
            const following = units[place + 1]?.backing;
            expect(quantity).toBeLessThanOrEqual(open(taken));
            if (!following) continue;
            expect(quantity).toBe(open(taken));
            expect(order(taken, following)).toBeLessThan(0);
          }
          expect(isSelected(one!, refOf(selected), one!.backings[0]!)).toBe(
            isSelected(one!, selected, one!.backings[0]!),
          );
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('units that move', () => {
  it.each([
    [0, { held: 0, confirmed: 0 }],
    [2, { held: 0, confirmed: 2 }],
    [4, { held: 1, confirmed: 3 }],
  ])('are confirmed ones first: %i', (quantity, expected) =>
    expect(splitOpen(backing(1, { held: 2, confirmed: 3, fulfilled: 9 }), quantity)).toEqual(expected),
  );
  it('are open', () => expect(() => splitOpen(backing(1, { held: 2, released: 9 }), 3)).toThrow('3 units of 2 open'));
});
