import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isOnSameRow, moveUnits } from './move-units.ts';
import { type Backing, type BackingPlace, STAGES, TALLIES, onStock, open } from './reservation.ts';
import { NODES, backing, backingFault, reserved, reservedWorld, tallied, unbacked } from './testing/reserved.ts';

const at = (node: number, fulfilment: string | null = null): BackingPlace => onStock(0, 1, node, fulfilment);
const counts = ({ held, confirmed, accepted, picked, shipped }: Backing): readonly number[] => [
  held,
  confirmed,
  accepted,
  picked,
  shipped,
];
const worked = backing(1, { held: 1, confirmed: 4, fulfilment: 'F', accepted: 3, picked: 2, shipped: 1, fulfilled: 7 });

describe('moving units', () => {
  it.each<[string, BackingPlace, number, readonly number[], readonly number[]]>([
    [
      'to another fulfilment, those go first with which the node has not begun',
      at(1, 'G'),
      2,
      [1, 2, 3, 2, 1],
      [0, 2, 0, 0, 0],
    ],
    [
      'to another fulfilment, the others take along how far it has come',
      at(1, 'G'),
      4,
      [1, 0, 1, 1, 1],
      [0, 4, 2, 1, 0],
    ],
    ['to none at the same node, as well', at(1), 5, [0, 0, 0, 0, 0], [1, 4, 3, 2, 1]],
    ['to another node, they leave that behind', at(2, 'F'), 4, [1, 0, 1, 1, 1], [0, 4, 0, 0, 0]],
    ['to another node, confirmed ones before held ones', at(2), 5, [0, 0, 0, 0, 0], [1, 4, 0, 0, 0]],
  ])('%s', (_, to, quantity, left, moved) => {
    const { backings } = moveUnits([worked], worked, to, quantity);
    expect(backings.map(counts)).toEqual([left, moved]);
    expect(backings[0]!.fulfilled).toBe(7);
    expect(backings[1]).toMatchObject({ ...to, no: 1, fulfilled: 0 });
  });

  it('joins what is there already', () => {
    const [from, there] = reserved([backing(2, { confirmed: 2 }), backing(1, { held: 1, released: 3 })]).backings;
    const { backings, moved } = moveUnits([from!, there!], from!, at(1), 1);
    expect(moved).toEqual({ held: 0, confirmed: 1 });
    expect(backings[1]).toEqual({ ...there!, confirmed: 1 });
  });

  it('tells what would move, and moves nothing, where it is the same place', () => {
    const all = [worked];
    expect(moveUnits(all, worked, at(1, 'F'), 5)).toEqual({ backings: all, moved: { held: 1, confirmed: 4 } });
  });

  it.each<[string, BackingPlace, BackingPlace, boolean]>([
    ['two fulfilments at a node', at(1, 'F'), at(1), true],
    ['two nodes', at(1), at(2), false],
    ['what is there and what is to come', at(1), { ...at(1), kind: 'incoming', detail: 5 }, false],
    ['two receipts', { ...at(1), kind: 'incoming', detail: 5 }, { ...at(1), kind: 'incoming', detail: 6 }, false],
    ['what stands on no row at all', unbacked(), unbacked(), false],
  ])('knows whether %s are on one row', (_, a, b, expected) => expect(isOnSameRow(a, b)).toBe(expected));

  it('keeps every unit, as what it is, and every stage as long as it stays on its row', () => {
    const somewhere = fc.record({ node: fc.constantFrom(...NODES), fulfilment: fc.constantFrom(null, 'F', 'G') });
    fc.assert(
      fc.property(reservedWorld, somewhere, fc.nat(9), fc.nat(6), ({ reservations: [one] }, to, which, wished) => {
        const { backings } = one!;
        const from = backings[which % backings.length]!;
        const target = onStock(from.line, from.sku, to.node, to.fulfilment);
        const quantity = Math.min(open(from), wished);
        const after = moveUnits(backings, from, target, quantity);
        expect(after.backings.map(backingFault).filter((fault) => fault !== null)).toEqual([]);
        expect(after.moved.held + after.moved.confirmed).toBe(quantity);
        expect(tallied(after.backings, from.line)).toBe(tallied(backings, from.line));
        const sum = (all: readonly Backing[], what: (typeof TALLIES)[number] | (typeof STAGES)[number]) =>
          all.reduce((total, backing) => total + backing[what], 0);
        for (const tally of TALLIES) expect(sum(after.backings, tally)).toBe(sum(backings, tally));
        for (const stage of STAGES) {
          const lost = sum(backings, stage) - sum(after.backings, stage);
          expect(lost).toBe(isOnSameRow(from, target) ? 0 : Math.max(0, from[stage] - (open(from) - quantity)));
        }
      }),
      { numRuns: 400 },
    );
  });
});
