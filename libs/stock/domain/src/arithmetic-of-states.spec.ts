import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as arithmetic from './arithmetic.ts';
import type { NamedState, RowChange, TravelState } from './arithmetic.ts';
import { inTransit, soundInTransit } from './inbound.ts';
import { type SupplyRow, emptyRow, net, onHand, promised, rowFault } from './supply-row.ts';
import { incoming, inboundRow, row, units, validRow } from './testing/arbitraries.ts';

const { arrive, defer, exchange, expectUnits, giveBack, hold, land, movable, moveState, receive, remove } = arithmetic;

const allowance = (promises: Partial<SupplyRow> = {}): SupplyRow => ({
  ...emptyRow({ kind: 'allowance', node: 0, detail: 0 }),
  ...promises,
});
const told = ({ transfers }: RowChange): readonly string[] =>
  transfers.map(({ from, to, quantity }) => `${quantity} ${from} > ${to}`);
const expectSound = (before: SupplyRow, { row: after, transfers }: RowChange): void => {
  expect(rowFault(after)).toBeNull();
  expect(arithmetic.applyTransfers(before, transfers)).toEqual(after);
  expect(transfers.every(({ from, to, quantity }) => quantity > 0 && from !== to)).toBe(true);
};
const state: fc.Arbitrary<NamedState> = fc.constantFrom('available', 'damaged', 'quality_control', 'safety_stock');
const travel: fc.Arbitrary<TravelState> = fc.constantFrom('available', 'damaged', 'quality_control');

describe('a promise beyond what there is', () => {
  it.each<[string, RowChange, readonly string[]]>([
    ['is expected when it is held', hold(allowance(), 3), ['3 expected > reserved']],
    [
      'is expected no longer when it is given up',
      giveBack(allowance({ committed: 3 }), 'committed', 2),
      ['2 committed > expected'],
    ],
    [
      'is exchanged with what is expected',
      exchange(allowance({ reserved: 2 }), { reserved: -2, committed: 3 }),
      ['2 reserved > committed', '1 expected > committed'],
    ],
    [
      'is available to others when it is given up of what comes',
      giveBack(incoming({ committed: 3 }), 'committed', 2),
      ['2 committed > available'],
    ],
    [
      'heals what comes too short before',
      giveBack(incoming({ committed: 3, shortfall: 1 }), 'committed', 2),
      ['1 committed > shortfall', '1 committed > available'],
    ],
  ])('%s', (_, change, expected) => expect(told(change)).toEqual(expected));

  it('needs units of what comes, and none of an allowance', () => {
    expect(() => hold(incoming({ available: 1 }), 2)).toThrow(/must be covered/);
    expect(rowFault(hold(allowance(), 2).row)).toBeNull();
  });
});

describe('units on their way', () => {
  it.each<[string, RowChange, readonly string[]]>([
    ['are expected', expectUnits(incoming(), 5), ['5 expected > available']],
    [
      'heal what was promised short',
      expectUnits(incoming({ committed: 3, shortfall: 2 }), 5),
      ['2 expected > shortfall', '3 expected > available'],
    ],
    [
      'travel in their state',
      expectUnits(incoming({ committed: 3, shortfall: 2 }), 5, 'damaged'),
      ['5 expected > damaged'],
    ],
    ['arrive', arrive(incoming({ available: 4, committed: 3 }), 3), ['3 available > expected']],
    [
      'leave promises short, beyond what was free',
      arrive(incoming({ available: 4, committed: 3 }), 6),
      ['4 available > expected', '2 shortfall > expected'],
    ],
    [
      'arrive damaged as they travelled, and then others',
      arrive(incoming({ available: 1, damaged: 2, qualityControl: 1 }), 4, 'damaged'),
      ['2 damaged > expected', '1 available > expected', '1 quality_control > expected'],
    ],
    [
      'arrive sound, though they were said to be damaged',
      arrive(incoming({ committed: 1, damaged: 2 }), 3),
      ['1 shortfall > expected', '2 damaged > expected'],
    ],
  ])('%s', (_, change, expected) => expect(told(change)).toEqual(expected));

  it.each<[string, () => RowChange]>([
    ['more arrive than were on their way', () => arrive(incoming({ available: 1, committed: 2, shortfall: 2 }), 2)],
    ['what is there is expected', () => expectUnits(row(), 1)],
    ['what is there arrives', () => arrive(row({ available: 1 }), 1)],
  ])('are a broken invariant if %s', (_, act) => expect(act).toThrow(/Broken invariant/));

  it('keep their row lawful, come and go by what is told, and leave promises as they are', () => {
    fc.assert(
      fc.property(inboundRow, units, travel, fc.boolean(), (before, wished, as, comes) => {
        const quantity = comes ? wished : Math.min(wished, inTransit(before));
        const change = comes ? expectUnits(before, quantity, as) : arrive(before, quantity, as);
        expectSound(before, change);
        expect(inTransit(change.row)).toBe(inTransit(before) + (comes ? quantity : -quantity));
        expect(promised(change.row)).toBe(promised(before));
      }),
      { numRuns: 400 },
    );
  });

  it('leave a promise short only when no other sound unit is left', () => {
    fc.assert(
      fc.property(inboundRow, units, travel, (before, wished, as) => {
        const after = arrive(before, Math.min(wished, inTransit(before)), as).row;
        if (after.shortfall > before.shortfall) expect(after.available).toBe(0);
        expect(soundInTransit(after)).toBeLessThanOrEqual(soundInTransit(before));
      }),
    );
  });
});

describe('landing', () => {
  const riding = (committed: number, reserved = 0) => ({ committed, reserved });
  it.each<[string, SupplyRow, number, number, Partial<SupplyRow>]>([
    ['covers its riders first', row(), 5, 4, { available: 1, committed: 4 }],
    [
      'at a node that owes: riders are promised, and short',
      row({ overdrawn: 3, committed: 2, shortfall: 2 }),
      5,
      4,
      { committed: 6, shortfall: 4 + 2 - 2 },
    ],
    ['of what a count has seen takes what is free', row({ available: 3, safetyStock: 1 }), 0, 4, { committed: 4 }],
    ['of what a count has not seen leaves riders short', row({ available: 1 }), 0, 4, { committed: 4, shortfall: 3 }],
  ])('%s', (_, before, quantity, riders, after) =>
    expect(land(before, quantity, riding(riders)).row).toEqual(row(after)),
  );

  it('promises all riders, and brings exactly what came', () => {
    fc.assert(
      fc.property(validRow, units, units, units, (before, quantity, committed, reserved) => {
        const change = land(before, quantity, { committed, reserved });
        expectSound(before, change);
        expect(net(change.row)).toBe(net(before) + quantity);
        expect(change.row.committed - before.committed).toBe(committed);
        expect(change.row.reserved - before.reserved).toBe(reserved);
      }),
      { numRuns: 400 },
    );
  });
});

describe('a named state', () => {
  it.each<[string, SupplyRow, NamedState, NamedState, number, readonly string[]]>([
    ['repaired units are available', row({ damaged: 3 }), 'damaged', 'available', 2, ['2 damaged > available']],
    [
      'repaired units heal first',
      row({ damaged: 3, committed: 2, shortfall: 1 }),
      'damaged',
      'available',
      2,
      ['1 damaged > shortfall', '1 damaged > available'],
    ],
    [
      'units to inspect are free ones first',
      row({ available: 1, committed: 2 }),
      'available',
      'quality_control',
      2,
      ['1 available > quality_control', '1 shortfall > quality_control'],
    ],
    [
      'inspected units may turn out damaged',
      row({ qualityControl: 3, committed: 1, shortfall: 1 }),
      'quality_control',
      'damaged',
      2,
      ['2 quality_control > damaged'],
    ],
    [
      'approved units may be set aside',
      row({ qualityControl: 3 }),
      'quality_control',
      'safety_stock',
      2,
      ['2 quality_control > safety_stock'],
    ],
    ['safety stock is freed', row({ safetyStock: 3 }), 'safety_stock', 'available', 3, ['3 safety_stock > available']],
    [
      'damaged safety stock',
      row({ safetyStock: 3, available: 3 }),
      'safety_stock',
      'damaged',
      3,
      ['3 safety_stock > damaged'],
    ],
    ['set aside', row({ available: 3, unapplied: 2 }), 'available', 'safety_stock', 3, ['3 available > safety_stock']],
  ])('%s', (_, before, from, to, quantity, expected) =>
    expect(told(moveState(before, from, to, quantity))).toEqual(expected),
  );

  it('changes nothing physical, and no promise', () => {
    fc.assert(
      fc.property(validRow, state, state, units, (before, from, to, wished) => {
        fc.pre(from !== to);
        const change = moveState(before, from, to, Math.min(wished, movable(before, from, to)));
        expectSound(before, change);
        expect(net(change.row)).toBe(net(before));
        expect([change.row.reserved, change.row.committed]).toEqual([before.reserved, before.committed]);
      }),
      { numRuns: 400 },
    );
  });

  it('is left and entered by exactly the units that go and come', () => {
    fc.assert(
      fc.property(validRow, state, units, (before, of, wished) => {
        const gone = remove(before, of, Math.min(wished, arithmetic.removable(before, of)));
        expectSound(before, gone);
        expect(net(before) - net(gone.row)).toBe(Math.min(wished, arithmetic.removable(before, of)));
        const come = receive(before, of, wished);
        expectSound(before, come);
        expect(net(come.row)).toBe(net(before) + wished);
      }),
      { numRuns: 400 },
    );
  });

  it.each<[string, () => RowChange]>([
    ['more is moved', () => moveState(row({ damaged: 1, available: 9 }), 'damaged', 'available', 2)],
    ['more is scrapped', () => remove(row({ damaged: 1, available: 9 }), 'damaged', 2)],
    ['it stays', () => moveState(row({ damaged: 1 }), 'damaged', 'damaged', 1)],
    ['more waits', () => defer(row({ available: 1 }), 2)],
    ['more waits no longer', () => defer(row({ unapplied: 1, available: 5 }), -2)],
  ])('is a broken invariant if %s than there is', (_, act) => expect(act).toThrow(/Broken invariant/));

  it('that nobody may have units of is outside of what is on hand, and in its net', () => {
    const waiting = defer(row({ available: 5 }), 3);
    expect([waiting.row, onHand(waiting.row), net(waiting.row)]).toEqual([row({ available: 2, unapplied: 3 }), 2, 5]);
    expect(defer(waiting.row, -2).row).toEqual(row({ available: 4, unapplied: 1 }));
  });

  it('nets what was sold too much, whatever comes', () => {
    expect(told(receive(row({ overdrawn: 3, reserved: 2, shortfall: 2 }), 'quality_control', 5))).toEqual([
      '3 external > overdrawn',
      '2 external > quality_control',
    ]);
  });
});
