import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { breakUnits, decideGiveUp } from './decide-give-up.ts';
import { type BackingPlace, open, totalOf } from './reservation.ts';
import type { SelectedUnits } from './select-units.ts';
import { type SupplyRow, net, promised } from './supply-row.ts';
import {
  type Units,
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
const giveUp = ({ reservation, supplies }: World, ...parts: readonly SelectedUnits[]) =>
  decideGiveUp(reservation, parts, supplies);
const unitsAfter = (decision: ReturnType<typeof giveUp>) =>
  decision.ok ? standingOf(decision.value.reservation) : decision.rejection;

describe('units that are given up', () => {
  it.each<[string, Partial<SupplyRow>, Units, Partial<SupplyRow>]>([
    ['are free where nothing is short', { committed: 3 }, { confirmed: 2 }, { committed: 1, available: 2 }],
    ['heal what is short first', { committed: 5, shortfall: 1 }, { confirmed: 2 }, { committed: 3, available: 1 }],
    ['leave the rest short', { committed: 5, shortfall: 4 }, { confirmed: 2 }, { committed: 3, shortfall: 2 }],
    ['may be held ones', { reserved: 5, shortfall: 1 }, { held: 2 }, { reserved: 3, available: 1 }],
  ])('%s', (_, before, mine, after) => {
    const world = { reservation: promising([standing(mine)]), supplies: bookOf(before) };
    const decision = giveUp(world, { quantity: 2 });
    expect(unitsAfter(decision)).toEqual([standing({ broken: 2 })]);
    expect(decision.ok && rowsOf(bookAfter(world, decision.value))).toEqual([stockRow(after)]);
  });

  it.each<[string, number, Units, Partial<SupplyRow>]>([
    ['are of the backing that is named', 2, { confirmed: 1, broken: 2 }, { committed: 3, shortfall: 1 }],
    ['are at most those that are open there', 9, { broken: 3 }, { committed: 2, shortfall: 0 }],
  ])('%s', (_, quantity, mine, after) => {
    const world = {
      reservation: promising([standing({ confirmed: 3 })]),
      supplies: bookOf({ committed: 5, shortfall: 3 }),
    };
    const effect = breakUnits(world.reservation, [{ backing: 0, quantity }], world.supplies);
    expect(standingOf(effect.reservation)).toEqual([standing(mine)]);
    expect(rowsOf(bookAfter(world, effect))).toEqual([stockRow(after)]);
  });

  it('concern nobody else where they stand on nothing', () => {
    const world = { reservation: promising([standing({ held: 1, confirmed: 2 }, { node: 0 })]), supplies: bookOf({}) };
    const decision = giveUp(world, { quantity: 2 });
    expect(unitsAfter(decision)).toEqual([standing({ held: 1, broken: 2 }, { node: 0 })]);
    expect(decision.ok && decision.value.effect.postings).toEqual([]);
    expect(decision.ok && decision.value.changes).toEqual([
      { line: 0, sku: 1, node: null, quantity: 2, fulfilment: null },
    ]);
  });

  it('may be ones that were on their way and do not come', () => {
    const riding: BackingPlace = { line: 0, sku: 1, kind: 'incoming', node: 1, detail: 7, fulfilment: null };
    const supplies = bookOf({ kind: 'incoming', node: 1, detail: 7, committed: 3, shortfall: 2 });
    const decision = decideGiveUp(promising([[riding, { confirmed: 3 }]]), [{ quantity: 2 }], supplies);
    expect(decision.ok && decision.value.effect.supplies.get(1)?.future).toMatchObject([
      { committed: 1, shortfall: 0 },
    ]);
  });

  /** Of line 0, at nodes of which 2 is short of three and 3 of one. */
  const short = bookOf({ committed: 9 }, { committed: 9, shortfall: 3 }, { committed: 9, shortfall: 1 });
  const mine = [
    standing({ confirmed: 2 }, { node: 1 }),
    standing({ confirmed: 2 }, { node: 1, ...F1 }),
    standing({ confirmed: 2 }, { node: 3, ...F1 }),
    standing({ confirmed: 2 }, { node: 2, ...F1 }),
    standing({ confirmed: 2 }, { node: 2 }),
    standing({ confirmed: 2 }, { node: 0 }),
  ];
  it.each<[number, readonly number[]]>([
    [2, [0, 0, 0, 0, 0, 2]],
    [4, [0, 0, 0, 0, 2, 2]],
    [5, [0, 0, 1, 0, 2, 2]],
    [6, [0, 0, 1, 1, 2, 2]],
    [8, [2, 0, 1, 1, 2, 2]],
    [10, [2, 2, 1, 1, 2, 2]],
    [12, [2, 2, 2, 2, 2, 2]],
  ])(
    '%i in all, are first those that have nothing, then those that are covered, each on which no node works',
    (quantity, broken) => {
      const decision = giveUp({ reservation: promising(mine), supplies: short }, { quantity });
      expect(decision.ok && decision.value.reservation.backings.map((one) => one.broken)).toEqual(broken);
    },
  );

  it('are the least advanced of a backing', () => {
    const world = {
      reservation: promising([standing({ confirmed: 3, accepted: 3, picked: 1 }, F1)]),
      supplies: bookOf({ committed: 3 }),
    };
    expect(unitsAfter(giveUp(world, { quantity: 2 }))).toEqual([
      standing({ confirmed: 1, accepted: 1, picked: 1, broken: 2 }, F1),
    ]);
  });

  it('are those that are named', () => {
    const decision = giveUp(
      { reservation: promising(mine), supplies: short },
      { node: 1, fulfilment: 'F1', quantity: 1 },
    );
    expect(decision.ok && decision.value.changes).toEqual([
      { line: 0, sku: 1, node: 1, quantity: 1, fulfilment: 'F1' },
    ]);
  });

  it('are told once for each backing', () => {
    const parts = [
      { fulfilment: 'F1', quantity: 3 },
      { fulfilment: 'F1', quantity: 3 },
    ];
    const decision = giveUp({ reservation: promising(mine), supplies: short }, ...parts);
    expect(decision.ok && decision.value.changes.map(({ node, quantity }) => [node, quantity])).toEqual([
      [1, 2],
      [3, 2],
      [2, 2],
    ]);
  });

  it.each<[string, readonly SelectedUnits[], number]>([
    ['there are fewer', [{ quantity: 13 }], 12],
    [
      'another part has them',
      [
        { node: 3, quantity: 1 },
        { node: 3, fulfilment: 'F1', quantity: 2 },
      ],
      1,
    ],
    [
      'they are not there',
      [
        { node: 1, quantity: 1 },
        { line: 'other', quantity: 1 },
      ],
      0,
    ],
  ])('are none at all if %s', (_, parts, there) => {
    expect(unitsAfter(giveUp({ reservation: promising(mine), supplies: short }, ...parts))).toMatchObject({
      code: 'reservation.units_missing',
      there,
    });
  });
});

describe('laws of giving up', () => {
  const anySelector = fc.constantFrom<Omit<SelectedUnits, 'quantity'>>(
    {},
    { line: 'l0' },
    { node: null },
    { node: 1 },
    { fulfilment: 'F1' },
    { fulfilment: null },
  );
  const openIn = (world: World): number => world.reservation.backings.reduce((sum, one) => sum + open(one), 0);
  const shortIn = (supplies: World['supplies']): number =>
    rowsOf(supplies).reduce((sum, row) => sum + row.shortfall, 0);

  it('keeps every law of books and backings, and all units that are there', () => {
    fc.assert(
      fc.property(anyWorld, anySelector, fc.integer({ min: 1, max: 8 }), (world, selector, quantity) => {
        const decision = giveUp(world, { ...selector, quantity });
        if (!decision.ok) return;
        const { reservation } = decision.value;
        expect(faultsAfter(world, decision.value)).toEqual([]);
        expect(totalOf(reservation.backings, 'broken')).toBe(quantity);
        const after = rowsOf(bookAfter(world, decision.value));
        expect(after.map(net)).toEqual(rowsOf(world.supplies).map(net));
      }),
      { numRuns: 400 },
    );
  });

  it('frees a unit only when no unit of the reservation is left that has nothing', () => {
    fc.assert(
      fc.property(anyWorld, fc.nat(), (world, share) => {
        fc.pre(openIn(world) > 0);
        const decision = giveUp(world, { quantity: 1 + (share % openIn(world)) });
        if (!decision.ok) throw new Error(decision.rejection.code);
        const book = bookAfter(world, decision.value);
        const { backings } = decision.value.reservation;
        const promises = (supplies: World['supplies']): number =>
          rowsOf(supplies).reduce((sum, row) => sum + promised(row), 0);
        const healed = shortIn(world.supplies) - shortIn(book);
        if (promises(world.supplies) - promises(book) === healed) return;
        const onShortRow = ({ kind, node }: BackingPlace): boolean =>
          kind === 'unbacked' || rowsOf(book).some((row) => row.node === node && row.shortfall > 0);
        expect(backings.filter((one) => open(one) > 0 && onShortRow(one))).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});
