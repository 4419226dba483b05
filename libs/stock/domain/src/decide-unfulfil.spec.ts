import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideUnfulfil } from './decide-unfulfil.ts';
import { decideLeave } from './decide-verb.ts';
import { type Backing, statusOf, totalOf } from './reservation.ts';
import type { SelectedUnits } from './select-units.ts';
import { type SupplyRow, net } from './supply-row.ts';
import {
  type World,
  anyWorld,
  bookAfter,
  bookOf,
  faultsAfter,
  promising,
  rowsOf,
  standing,
  standingOf,
  stockRow,
} from './testing/promises.ts';

const F1 = { fulfilment: 'F1' };
const NOT_COUNTED = (): number => 0;
const ALL_COUNTED = (_: Backing, quantity: number): number => quantity;
const undo = ({ reservation, supplies }: World, parts: readonly SelectedUnits[], counted = NOT_COUNTED) =>
  decideUnfulfil(reservation, parts, supplies, counted);

describe('an undone shipment', () => {
  const mine = promising([standing({ fulfilled: 3 }, F1)]);

  it.each<[string, Partial<SupplyRow>, number, Partial<SupplyRow>]>([
    ['has its units promised again', { available: 1, committed: 2 }, 0, { available: 1, committed: 4 }],
    ['nets what was oversold first', { overdrawn: 1 }, 0, { committed: 2, shortfall: 1 }],
    ['leaves others short', { committed: 2, shortfall: 2 }, 0, { committed: 4, shortfall: 2 }],
    ['is covered by what a count saw back', { available: 3 }, 2, { available: 1, committed: 2 }],
    ['takes what waits for backorders then', { available: 1, unapplied: 3 }, 2, { unapplied: 2, committed: 2 }],
    ['takes safety stock then', { available: 1, safetyStock: 3 }, 2, { safetyStock: 2, committed: 2 }],
    ['is short where the count is sold already', { available: 1 }, 2, { committed: 2, shortfall: 1 }],
    ['was counted in part', { available: 1, committed: 2 }, 1, { committed: 4 }],
  ])('%s', (_, before, seen, after) => {
    const world = { reservation: mine, supplies: bookOf(before) };
    const decision = undo(world, [{ fulfilment: 'F1', quantity: 2 }], () => seen);
    expect(decision.ok && standingOf(decision.value.reservation)).toEqual([
      standing({ confirmed: 2, fulfilled: 1 }, F1),
    ]);
    expect(decision.ok && rowsOf(bookAfter(world, decision.value))).toEqual([stockRow(after)]);
    expect(decision.ok && decision.value.changes).toEqual([
      { line: 0, sku: 1, node: 1, quantity: 2, fulfilment: 'F1' },
    ]);
  });

  it('opens a reservation that was closed', () => {
    expect(statusOf(mine.backings)).toBe('closed');
    const decision = undo({ reservation: mine, supplies: bookOf({}) }, [{ quantity: 1 }]);
    expect(decision.ok && statusOf(decision.value.reservation.backings)).toBe('confirmed');
  });

  it('is past no stage, and leaves the others where they are', () => {
    const part = promising([standing({ confirmed: 2, accepted: 2, picked: 1, fulfilled: 1 }, F1)]);
    const decision = undo({ reservation: part, supplies: bookOf({ committed: 2 }) }, [{ quantity: 1 }]);
    expect(decision.ok && standingOf(decision.value.reservation)).toEqual([
      standing({ confirmed: 3, accepted: 2, picked: 1 }, F1),
    ]);
  });

  const lines = promising([
    standing({ fulfilled: 2 }, F1),
    standing({ fulfilled: 1, confirmed: 4 }, { line: 1, ...F1 }),
    standing({ fulfilled: 2 }, { fulfilment: 'F2' }),
  ]);
  const world = { reservation: lines, supplies: bookOf({ committed: 4 }) };

  it('is of what was filled last', () => {
    const decision = undo(world, [{ fulfilment: 'F1', quantity: 2 }]);
    expect(decision.ok && decision.value.reservation.backings.map(({ fulfilled }) => fulfilled)).toEqual([1, 0, 2]);
  });

  it.each<[string, readonly SelectedUnits[], number]>([
    ['more than was shipped', [{ fulfilment: 'F1', quantity: 4 }], 3],
    [
      'what was undone already',
      [
        { line: 'l1', quantity: 1 },
        { line: 'l1', quantity: 1 },
      ],
      0,
    ],
    ['what never was there', [{ fulfilment: 'F9', quantity: 1 }], 0],
  ])('is refused of %s', (_, parts, there) => {
    const decision = undo(world, parts);
    expect(decision.ok || decision.rejection).toMatchObject({ code: 'reservation.units_missing', there });
  });
});

describe('laws of undoing a shipment', () => {
  const fulfilledIn = ({ reservation }: World): number => totalOf(reservation.backings, 'fulfilled');

  it('keeps every law of books and backings, and adds to a row what no count has seen', () => {
    fc.assert(
      fc.property(anyWorld, fc.nat(), fc.nat(), (world, share, seen) => {
        fc.pre(fulfilledIn(world) > 0);
        const quantity = 1 + (share % fulfilledIn(world));
        let notSeen = 0;
        const counted = (_: Backing, units: number): number => {
          const some = seen % (units + 1);
          notSeen += units - some;
          return some;
        };
        const decision = decideUnfulfil(world.reservation, [{ quantity }], world.supplies, counted);
        if (!decision.ok) throw new Error(decision.rejection.code);
        expect(faultsAfter(world, decision.value)).toEqual([]);
        expect(totalOf(decision.value.reservation.backings, 'fulfilled')).toBe(fulfilledIn(world) - quantity);
        const netOf = (rows: readonly SupplyRow[]): number => rows.reduce((sum, row) => sum + net(row), 0);
        expect(netOf(rowsOf(bookAfter(world, decision.value)))).toBe(netOf(rowsOf(world.supplies)) + notSeen);
      }),
      { numRuns: 400 },
    );
  });

  it('a shipment and its undoing leave tallies as they were, and the rows too where these units were covered', () => {
    const confirmedAtNodes = ({ reservation }: World): number =>
      reservation.backings.reduce((sum, one) => sum + (one.kind === 'stock' ? one.confirmed : 0), 0);
    let compared = 0;
    fc.assert(
      fc.property(anyWorld, fc.nat(), fc.boolean(), (world, share, isCounted) => {
        fc.pre(confirmedAtNodes(world) > 0 && fulfilledIn(world) === 0);
        const parts = [{ quantity: 1 + (share % confirmedAtNodes(world)) }];
        const counted = isCounted ? ALL_COUNTED : NOT_COUNTED;
        const left = decideLeave('fulfil', world.reservation, world.supplies, parts, counted);
        if (!left.ok) throw new Error(left.rejection.code);
        const between = { reservation: left.value.reservation, supplies: bookAfter(world, left.value) };
        const back = decideUnfulfil(between.reservation, parts, between.supplies, counted);
        if (!back.ok) throw new Error(back.rejection.code);
        const tallies = ({ backings }: World['reservation']) =>
          backings.map((one) => [one.no, one.confirmed, one.held]);
        expect(tallies(back.value.reservation)).toEqual(tallies(world.reservation));
        if (!isCounted && rowsOf(world.supplies).some(({ shortfall }) => shortfall > 0)) return;
        compared++;
        expect(rowsOf(bookAfter(between, back.value))).toEqual(rowsOf(world.supplies));
      }),
      { numRuns: 400 },
    );
    expect(compared).toBeGreaterThan(50);
  });
});
