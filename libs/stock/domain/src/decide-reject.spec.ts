import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { channelAtp } from './atp.ts';
import { NO_STATES } from './counted-states.ts';
import { type RejectEffect, type RejectedUnits, decideReject } from './decide-reject.ts';
import { open } from './reservation.ts';
import type { SellingRules } from './selling-rules.ts';
import type { Terms } from './settlement.ts';
import { type SupplyRow, net, promised } from './supply-row.ts';
import type { Supplies } from './supply.ts';
import { NOW, WEB, openRules, sellingChannel, threshold } from './testing/arbitraries.ts';
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
const TERMS: Terms = { rules: openRules(), now: NOW, override: null };
const refused = (effect: RejectEffect, quantity: number, over: Partial<RejectedUnits> = {}): RejectedUnits => ({
  selected: { fulfilment: 'F1', quantity },
  effect,
  moveTo: null,
  isLate: () => false,
  counted: () => NO_STATES,
  ...over,
});
const rowsAfter = (world: World, rejected: RejectedUnits, terms = TERMS) => {
  const decision = decideReject(world.reservation, rejected, world.supplies, terms);
  return decision.ok ? rowsOf(bookAfter(world, decision.value)) : decision.rejection;
};
const unitsAfter = (world: World, rejected: RejectedUnits, terms = TERMS) => {
  const decision = decideReject(world.reservation, rejected, world.supplies, terms);
  return decision.ok ? standingOf(decision.value.reservation) : decision.rejection;
};
const short = (requested: number, atp: number) => ({
  code: 'stock.insufficient',
  shortages: [{ line: 0, sku: 1, requested, atp }],
});

describe('what two refused units of five promised ones say of a row', () => {
  const mine = promising([standing({ confirmed: 2 }, F1)]);
  const full = { available: 3, unapplied: 1, committed: 5, safetyStock: 2, damaged: 1, qualityControl: 1 };
  const scarce = { committed: 5, damaged: 1, qualityControl: 1 };
  const oversold = { committed: 5, shortfall: 5, overdrawn: 2 };
  it.each<[RejectEffect, string, Partial<SupplyRow>, Partial<SupplyRow>]>([
    ['none', 'with free units', full, { ...full, committed: 3, available: 5 }],
    ['quantity', 'with free units', full, { ...full, committed: 3 }],
    [
      'sellable_only',
      'with free units',
      full,
      { ...full, committed: 3, available: 0, unapplied: 0, qualityControl: 7 },
    ],
    ['all', 'with free units', full, { committed: 3, shortfall: 3, damaged: 1, qualityControl: 1 }],
    ['none', 'short of one', { ...scarce, shortfall: 1 }, { ...scarce, committed: 3, available: 1 }],
    ['quantity', 'short of one, which is one of them', { ...scarce, shortfall: 1 }, { ...scarce, committed: 3 }],
    ['quantity', 'short of three', { ...scarce, shortfall: 3 }, { ...scarce, committed: 3, shortfall: 1 }],
    ['sellable_only', 'short of one', { ...scarce, shortfall: 1 }, { ...scarce, committed: 3, qualityControl: 2 }],
    ['sellable_only', 'short of three', { ...scarce, shortfall: 3 }, { ...scarce, committed: 3, shortfall: 1 }],
    ['all', 'short of one', { ...scarce, shortfall: 1 }, { ...scarce, committed: 3, shortfall: 3 }],
    ['none', 'oversold', oversold, { ...oversold, committed: 3, shortfall: 3 }],
    ['quantity', 'oversold', oversold, { ...oversold, committed: 3, shortfall: 3 }],
    ['all', 'oversold', oversold, { ...oversold, committed: 3, shortfall: 3 }],
  ])('%s, %s', (effect, _, before, after) => {
    expect(rowsAfter({ reservation: mine, supplies: bookOf(before) }, refused(effect, 2))).toEqual([stockRow(after)]);
  });

  it.each<[RejectEffect, Partial<SupplyRow>]>([
    ['none', { ...full, committed: 3, available: 5 }],
    ['quantity', { ...full, committed: 3, available: 5 }],
    ['sellable_only', { ...full, committed: 3, available: 0, unapplied: 0, qualityControl: 7 }],
    ['all', { ...full, committed: 3, available: 5 }],
  ])('%s, late: the newest count knew it, and no unit leaves the row', (effect, after) => {
    const world = { reservation: mine, supplies: bookOf(full) };
    expect(rowsAfter(world, refused(effect, 2, { isLate: () => true }))).toEqual([stockRow(after)]);
  });

  it('has been seen by a count of what is inspected: what the node doubts is not moved again', () => {
    const world = { reservation: mine, supplies: bookOf({ committed: 5, available: 4, qualityControl: 3 }) };
    const counted = (): ReadonlySet<'quality_control'> => new Set(['quality_control']);
    const after = stockRow({ committed: 3, available: 6, qualityControl: 3 });
    expect(rowsAfter(world, refused('sellable_only', 2, { counted }))).toEqual([after]);
  });

  it('is judged row by row, by the counts of each', () => {
    const both = promising([standing({ confirmed: 1 }, F1), standing({ confirmed: 1 }, { node: 2, ...F1 })]);
    const world = {
      reservation: both,
      supplies: bookOf({ committed: 1, available: 4 }, { committed: 1, available: 4 }),
    };
    const isLate: RejectedUnits['isLate'] = (sku, node) => sku === 1 && node === 2;
    expect(rowsAfter(world, refused('all', 2, { isLate }))).toEqual([stockRow(), stockRow({ node: 2, available: 5 })]);
  });

  it('is the same of held units', () => {
    const held = promising([standing({ held: 2 }, F1)]);
    const world = { reservation: held, supplies: bookOf({ reserved: 3, available: 1 }) };
    expect(rowsAfter(world, refused('quantity', 2))).toEqual([stockRow({ reserved: 1, available: 1 })]);
    expect(rowsAfter(world, refused('sellable_only', 2))).toEqual([stockRow({ reserved: 1, qualityControl: 3 })]);
    expect(rowsAfter(world, refused('all', 2))).toEqual([stockRow({ reserved: 1, shortfall: 1 })]);
  });
});

describe('refused units', () => {
  const world = (...parts: Parameters<typeof promising>[0]): World => ({
    reservation: promising(parts),
    supplies: bookOf({ committed: 9, reserved: 9 }, { available: 3 }, {}),
  });
  const moveTo = { node: 2, fulfilment: 'F2' };

  it('stay promised and stand on nothing', () => {
    const decision = decideReject(
      promising([standing({ confirmed: 3 }, F1)]),
      refused('none', 2),
      bookOf({ committed: 3 }),
      TERMS,
    );
    expect(decision.ok && standingOf(decision.value.reservation)).toEqual([
      standing({ confirmed: 1 }, F1),
      standing({ confirmed: 2 }, { node: 0 }),
    ]);
    expect(decision.ok && decision.value.changes).toEqual([
      { line: 0, sku: 1, node: 1, quantity: 2, fulfilment: 'F1', to: { node: null, fulfilment: null } },
    ]);
  });

  it('are the least advanced, confirmed ones first, and nothing that was acknowledged of them stays', () => {
    const before = standing({ held: 1, confirmed: 3, accepted: 3, picked: 2, shipped: 1 }, F1);
    expect(unitsAfter(world(before), refused('none', 2))).toEqual([
      standing({ held: 1, confirmed: 1, accepted: 2, picked: 2, shipped: 1 }, F1),
      standing({ confirmed: 2 }, { node: 0 }),
    ]);
  });

  it('keep their lines, and are held if they were', () => {
    const parts = [standing({ held: 1, confirmed: 1 }, F1), standing({ confirmed: 1 }, { line: 1, ...F1 })];
    expect(unitsAfter(world(...parts), refused('quantity', 3))).toEqual([
      standing({ held: 1, confirmed: 1 }, { node: 0 }),
      standing({ confirmed: 1 }, { line: 1, node: 0 }),
    ]);
  });

  it('stand at another node at once where they have one', () => {
    const mine = world(standing({ held: 1, confirmed: 2, accepted: 2 }, F1));
    const rejected = refused('quantity', 3, { moveTo });
    expect(unitsAfter(mine, rejected)).toEqual([standing({ held: 1, confirmed: 2 }, { node: 2, fulfilment: 'F2' })]);
    expect(rowsAfter(mine, rejected)).toEqual([
      stockRow({ committed: 7, reserved: 8 }),
      stockRow({ node: 2, committed: 2, reserved: 1 }),
      stockRow({ node: 3 }),
    ]);
  });

  it('may come to a backing that is refused with them', () => {
    const mine = {
      reservation: promising([standing({ confirmed: 2 }, F1), standing({ confirmed: 1 }, { node: 2, ...F1 })]),
      supplies: bookOf({ committed: 2 }, { committed: 1, available: 3 }),
    };
    const rejected = refused('quantity', 3, { moveTo: { node: 2, fulfilment: 'F1' } });
    expect(unitsAfter(mine, rejected)).toEqual([standing({ confirmed: 3 }, { node: 2, ...F1 })]);
    expect(rowsAfter(mine, rejected)).toEqual([stockRow(), stockRow({ node: 2, committed: 3 })]);
  });

  it('may be replaced by other units of the same node, which need not be on sale if the refused ones are there', () => {
    const mine = (available: number): World => ({
      reservation: promising([standing({ confirmed: 1, accepted: 1 }, F1)]),
      supplies: bookOf({ committed: 1, available }),
    });
    const here = { moveTo: { node: 1, fulfilment: 'F2' } };
    expect(unitsAfter(mine(0), refused('none', 1, here))).toEqual([standing({ confirmed: 1 }, { fulfilment: 'F2' })]);
    expect(unitsAfter(mine(1), refused('quantity', 1, here))).toEqual([
      standing({ confirmed: 1 }, { fulfilment: 'F2' }),
    ]);
    expect(unitsAfter(mine(0), refused('quantity', 1, here))).toEqual(short(1, 0));
    expect(unitsAfter(mine(1), refused('sellable_only', 1, here))).toEqual(short(1, 0));
    expect(unitsAfter(mine(1), refused('all', 1, here))).toEqual(short(1, 0));
  });

  it.each<[string, Partial<World['reservation']>, Terms, number, number]>([
    ['the node has too few', {}, TERMS, 3, 4],
    ['the node hides them', {}, { ...TERMS, rules: openRules([threshold({ node: 2, quantity: 2 })]) }, 1, 4],
    ['their channel is gone', { channel: 9 }, TERMS, 0, 4],
    [
      'their channel may not sell there',
      {},
      { ...TERMS, rules: openRules([], sellingChannel({ nodes: new Set([1]) })) },
      0,
      4,
    ],
  ])('cannot move in the same decision, and so are not refused at all, where %s', (_, over, terms, atp, quantity) => {
    const mine = world(standing({ confirmed: 4 }, F1));
    const rejected = refused('quantity', quantity, { moveTo });
    expect(unitsAfter({ ...mine, reservation: { ...mine.reservation, ...over } }, rejected, terms)).toEqual(
      short(quantity, atp),
    );
  });

  it('keep to the nodes of their line, unless a person decides', () => {
    const mine = world(standing({ confirmed: 1 }, F1));
    const lines = mine.reservation.lines.map((line) => ({ ...line, nodes: [1, 3] }));
    const bound = { ...mine, reservation: { ...mine.reservation, lines } };
    expect(unitsAfter(bound, refused('none', 1, { moveTo }))).toEqual(short(1, 0));
    expect(unitsAfter(bound, refused('none', 1, { moveTo }), { ...TERMS, override: 'by_hand' })).toEqual([
      standing({ confirmed: 1 }, moveTo),
    ]);
  });

  it('take what a channel hides as a whole only if they leave as much on sale', () => {
    const mine = world(standing({ confirmed: 2 }, F1));
    const terms = { ...TERMS, rules: openRules([threshold({ scope: 'network', quantity: 2 })]) };
    expect(unitsAfter(mine, refused('none', 2, { moveTo }), terms)).toEqual([standing({ confirmed: 2 }, moveTo)]);
    expect(unitsAfter(mine, refused('quantity', 2, { moveTo }), terms)).toEqual(short(2, 1));
    expect(unitsAfter(mine, refused('sellable_only', 2, { moveTo }), terms)).toEqual(short(2, 1));
  });

  it.each<[string, Parameters<typeof standing>, number]>([
    ['than there are', [{ held: 1, confirmed: 1 }, F1], 2],
    ['than are open', [{ confirmed: 1, fulfilled: 5 }, F1], 1],
    ['than the fulfilment has', [{ confirmed: 5 }, { fulfilment: 'F2' }], 0],
    ['than stand at a node', [{ confirmed: 5 }, { node: 0 }], 0],
  ])('are never more %s', (_, units, there) => {
    expect(unitsAfter(world(standing(...units)), refused('none', 3))).toMatchObject({
      code: 'reservation.units_missing',
      at: { fulfilment: 'F1' },
      there,
    });
  });
});

describe('laws of refusing', () => {
  const anyRefusal = fc
    .record({
      world: anyWorld,
      effect: fc.constantFrom<RejectEffect>('none', 'quantity', 'sellable_only', 'all'),
      share: fc.nat(),
      moveTo: fc.option(fc.record({ node: fc.constantFrom(1, 2, 3), fulfilment: fc.constantFrom('F1', 'F2', null) }), {
        freq: 1,
      }),
      late: fc.subarray([1, 2, 3]),
      hidden: fc.constantFrom(0, 0, 1, 3),
    })
    .map(({ share, ...one }) => ({ ...one, quantity: 1 + (share % Math.max(1, workedOn(one.world))) }));
  const workedOn = ({ reservation }: World): number =>
    reservation.backings.reduce((sum, one) => sum + (one.fulfilment === 'F1' ? open(one) : 0), 0);
  const isLateIn =
    (late: readonly number[]): RejectedUnits['isLate'] =>
    (_, node) =>
      late.includes(node);
  const atpOf = (supplies: Supplies, rules: SellingRules, channel = WEB): readonly number[] =>
    [null, new Set([1]), new Set([2]), new Set([3])].map(
      (nodes) => channelAtp(supplies.get(1)!, rules, { channel, nodes, now: NOW }).atp,
    );

  it('keeps every law of books and backings', () => {
    let accepted = 0;
    fc.assert(
      fc.property(anyRefusal, ({ world, effect, quantity, moveTo, late, hidden }) => {
        const rules = openRules([threshold({ quantity: hidden }), threshold({ scope: 'network', quantity: hidden })]);
        const rejected = refused(effect, quantity, { moveTo, isLate: isLateIn(late) });
        const decision = decideReject(world.reservation, rejected, world.supplies, { ...TERMS, rules });
        if (!decision.ok) return;
        accepted++;
        expect(faultsAfter(world, decision.value)).toEqual([]);
        expect(decision.value.changes.reduce((sum, change) => sum + change.quantity, 0)).toBe(quantity);
      }),
      { numRuns: 600 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it('puts no unit on sale that is not there', () => {
    fc.assert(
      fc.property(anyRefusal, ({ world, effect, quantity, moveTo, hidden }) => {
        if (effect === 'none') return;
        const rules = openRules([threshold({ quantity: hidden }), threshold({ scope: 'network', quantity: hidden })]);
        const decision = decideReject(world.reservation, refused(effect, quantity, { moveTo }), world.supplies, TERMS);
        if (!decision.ok) return;
        const before = atpOf(world.supplies, rules);
        const after = atpOf(bookAfter(world, decision.value), rules);
        after.forEach((atp, index) => expect(atp).toBeLessThanOrEqual(before[index]!));
      }),
      { numRuns: 400 },
    );
  });

  it('does to each row what was said of it, and to others nothing', () => {
    fc.assert(
      fc.property(anyRefusal, ({ world, effect, quantity, late }) => {
        const rejected = refused(effect, quantity, { isLate: isLateIn(late) });
        const decision = decideReject(world.reservation, rejected, world.supplies, TERMS);
        if (!decision.ok) return;
        const after = rowsOf(bookAfter(world, decision.value));
        for (const [index, was] of rowsOf(world.supplies).entries()) {
          const row = after[index]!;
          const said = promised(was) === promised(row) ? null : late.includes(row.node) ? `late ${effect}` : effect;
          expectSaid(said, was, row);
        }
      }),
      { numRuns: 400 },
    );
  });

  /** What is said of a row, told without the arithmetic of the rules. */
  function expectSaid(said: string | null, was: SupplyRow, row: SupplyRow): void {
    const refusedUnits = promised(was) - promised(row);
    const shortOfOthers = Math.max(0, was.shortfall - refusedUnits);
    expect(row.damaged).toBe(was.damaged);
    switch (said) {
      case null:
        return expect(row).toEqual(was);
      case 'quantity':
        expect(row.available).toBe(was.available);
        expect(row.shortfall).toBe(shortOfOthers);
        return expect(net(was) - net(row)).toBe(Math.max(0, refusedUnits - was.shortfall));
      case 'all':
        expect([row.available, row.unapplied, row.safetyStock]).toEqual([0, 0, 0]);
        expect(row.qualityControl).toBe(was.qualityControl);
        return expect(row.shortfall).toBe(promised(row));
      case 'sellable_only':
      case 'late sellable_only':
        expect([row.available, row.unapplied, row.shortfall]).toEqual([0, 0, shortOfOthers]);
        return expect(net(row)).toBe(net(was));
      default:
        expect(row.available).toBe(was.available + Math.max(0, refusedUnits - was.shortfall));
        expect(row.shortfall).toBe(shortOfOthers);
        return expect(net(row)).toBe(net(was));
    }
  }
});
