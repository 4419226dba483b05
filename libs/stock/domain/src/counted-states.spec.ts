import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NamedState } from './arithmetic.ts';
import { countState, seenBy, stateInBook } from './counted-states.ts';
import { type MovementType, type StockMovement, decideMovements } from './decide-movements.ts';
import { type Watermark, rowKey } from './feed.ts';
import { COUNTED_STATES, type CountedState } from './stock-states.ts';
import { type SupplyRow, net, rowFault } from './supply-row.ts';
import { row, suppliesOf, supplyOf, validRow } from './testing/arbitraries.ts';
import { FeedWorld } from './testing/feed-world.ts';

const [ELEVEN, NOON, HALF_PAST] = [11, 12, 12.5];
const fieldOf = (state: CountedState): 'damaged' | 'qualityControl' => (state === 'damaged' ? state : 'qualityControl');

describe('a count of a state', () => {
  it.each<
    [string, Partial<SupplyRow>, [state: CountedState, quantity: number, since: number], Partial<SupplyRow>, number]
  >([
    ['finds what the book has', { available: 5, damaged: 3 }, ['damaged', 3, 0], { available: 5, damaged: 3 }, 0],
    [
      'takes what more is damaged from what is for sale',
      { available: 5 },
      ['damaged', 3, 0],
      { available: 2, damaged: 3 },
      0,
    ],
    [
      'is right of its time: what became so later comes to it',
      { available: 5, damaged: 1 },
      ['damaged', 3, 1],
      { available: 2, damaged: 4 },
      0,
    ],
    [
      'is never below nothing, whatever has left since',
      { available: 5, damaged: 1 },
      ['damaged', 0, -2],
      { available: 6 },
      0,
    ],
    [
      'gives what is sound after all back for sale',
      { available: 5, damaged: 3 },
      ['damaged', 1, 0],
      { available: 7, damaged: 1 },
      0,
    ],
    [
      'heals with it what is short',
      { committed: 4, shortfall: 2, damaged: 3 },
      ['damaged', 0, 0],
      { committed: 4, available: 1 },
      0,
    ],
    [
      'takes what is not given out yet, what is set aside and then promised units, which are short',
      { available: 1, unapplied: 1, safetyStock: 1, committed: 3 },
      ['quality_control', 5, 0],
      { committed: 3, shortfall: 2, qualityControl: 5 },
      0,
    ],
    [
      'goes as far as the row has units',
      { available: 2, committed: 1 },
      ['damaged', 5, 0],
      { committed: 1, shortfall: 1, damaged: 3 },
      2,
    ],
    [
      'takes none from what was counted as another state',
      { qualityControl: 4 },
      ['damaged', 2, 0],
      { qualityControl: 4 },
      2,
    ],
    ['makes nothing of a row that owes units', { overdrawn: 2 }, ['damaged', 2, 0], { overdrawn: 2 }, 2],
  ])('%s', (_, before, [state, quantity, since], after, beyond) => {
    const change = countState(row(before), { state, quantity, since });
    expect([change.row, change.beyond]).toEqual([row(after), beyond]);
  });

  it('leaves a sound row, moves no net, and comes to what was counted or to all that can be taken', () => {
    const counted = fc.record({
      state: fc.constantFrom(...COUNTED_STATES),
      quantity: fc.nat(30),
      since: fc.integer({ min: -9, max: 9 }),
    });
    fc.assert(
      fc.property(validRow, counted, (before, count) => {
        const { row: after, beyond } = countState(before, count);
        const target = Math.max(0, count.quantity + count.since);
        expect([rowFault(after), net(after)]).toEqual([null, net(before)]);
        expect(after[fieldOf(count.state)] + beyond).toBe(target);
        if (beyond > 0) expect(after.available + after.unapplied + after.safetyStock).toBe(0);
        expect([after.committed, after.reserved]).toEqual([before.committed, before.reserved]);
        // Told and applied again, it changes nothing.
        expect(countState(after, count).transfers).toEqual([]);
      }),
    );
  });
});

describe('what counts have seen of an event', () => {
  const at = (capturedAt: number): Watermark => ({ capturedAt, deductsAt: null, source: 'wms' });
  const watermarks = new Map([
    [rowKey(1, 1), at(ELEVEN)],
    [rowKey(1, 1, 'damaged'), at(NOON)],
  ]);

  it.each<[number, number, boolean, readonly CountedState[]]>([
    [1, ELEVEN, true, ['damaged']],
    [1, ELEVEN + 0.5, false, ['damaged']],
    [1, NOON, false, ['damaged']],
    [1, HALF_PAST, false, []],
    [2, ELEVEN, false, []],
  ])('at node %d at %d: the total %j, states %j', (node, occurredAt, total, states) => {
    const seen = seenBy(watermarks, 1, node, occurredAt);
    expect([seen.total !== null, [...seen.states.keys()]]).toEqual([total, states]);
  });

  it('is a matter of the state that it moves: of others, units are where they are told to be', () => {
    const { states } = seenBy(watermarks, 1, 1, NOON);
    const told: readonly NamedState[] = ['available', 'damaged', 'quality_control', 'safety_stock'];
    expect(told.map((state) => stateInBook(state, states))).toEqual([
      ...['available', 'available', 'quality_control', 'safety_stock'],
    ]);
  });
});

type Event = readonly [type: MovementType, quantity: number, states?: Pick<StockMovement, 'from' | 'to'>];

describe('damaged units, of which three were counted at noon, and an event that is told at one', () => {
  const DAMAGED = { to: 'damaged' } as const;
  it.each<[string, number, Event, Partial<SupplyRow>, readonly (string | null)[]]>([
    ['damage of eleven is among them', ELEVEN, ['damage', 2], { available: 7, damaged: 3 }, ['damaged']],
    ['damage of half past twelve comes to them', HALF_PAST, ['damage', 2], { available: 5, damaged: 5 }, []],
    [
      'repair of eleven was before them',
      ELEVEN,
      ['state', 2, { from: 'damaged', to: 'available' }],
      { available: 7, damaged: 3 },
      ['damaged'],
    ],
    [
      'repair of half past twelve is of them',
      HALF_PAST,
      ['state', 2, { from: 'damaged', to: 'available' }],
      { available: 9, damaged: 1 },
      [],
    ],
    ['scrap of eleven leaves the row, and not them', ELEVEN, ['scrap', 2], { available: 5, damaged: 3 }, ['damaged']],
    ['scrap of half past twelve is of them', HALF_PAST, ['scrap', 2], { available: 7, damaged: 1 }, []],
    [
      'a receipt of damaged units of eleven is among them',
      ELEVEN,
      ['receipt', 5, DAMAGED],
      { available: 12, damaged: 3 },
      ['damaged'],
    ],
    [
      'a receipt of half past twelve comes to them',
      HALF_PAST,
      ['receipt', 5, DAMAGED],
      { available: 7, damaged: 8 },
      [],
    ],
    [
      'what was found damaged at inspection at eleven is among them, and is inspected no longer',
      ELEVEN,
      ['state', 2, { from: 'quality_control', to: 'damaged' }],
      { available: 9, damaged: 3 },
      ['damaged'],
    ],
    ['a sale of eleven has nothing to do with them', ELEVEN, ['sale', 2], { available: 5, damaged: 3 }, []],
  ])('%s', (_, occurredAt, [type, quantity, states], after, late) => {
    const world = new FeedWorld();
    world.event('r', 'receipt', 1, 10, 0);
    world.event('q', 'receipt', 1, 2, 0, { to: 'quality_control' });
    world.countStates(1, NOON, [{ state: 'damaged', quantity: 3 }]);
    const told = world.event('e', type, 1, quantity, occurredAt, states);
    const inspected = states?.from === 'quality_control' ? 0 : 2;
    expect(world.row(1)).toEqual(row({ qualityControl: inspected, ...after }));
    expect(told.map(({ state }) => state)).toEqual(late);
  });

  it.each<[string, Event]>([
    ['scrap of two', ['scrap', 2]],
    ['a receipt of five', ['receipt', 5, DAMAGED]],
    ['damage of two', ['damage', 2]],
  ])('%s of eleven changes nothing when all that is there was counted as well', (_, [type, quantity, states]) => {
    const world = new FeedWorld();
    world.count({ node: 1, source: 'wms', deductsAt: null, capturedAt: NOON, counted: 10 });
    world.countStates(1, NOON, [{ state: 'damaged', quantity: 3 }]);
    world.event('e', type, 1, quantity, ELEVEN, states);
    expect(world.row(1)).toEqual(row({ available: 7, damaged: 3 }));
  });

  it('such an event is not refused for units that the count has moved', () => {
    const before = suppliesOf(supplyOf(1, [row({ available: 1, damaged: 3 })]));
    const count = { capturedAt: NOON, deductsAt: null, source: 'wms' };
    const time = { occurredAt: ELEVEN, watermarks: new Map([[rowKey(1, 1, 'damaged'), count]]) };
    const judged = {
      type: 'state',
      sku: 1,
      node: 1,
      toNode: null,
      quantity: 4,
      from: 'damaged',
      to: 'quality_control',
    } as const;
    const decision = decideMovements([judged], before, time);
    expect(decision.ok && decision.value.supplies.get(1)?.rows).toEqual([row({ qualityControl: 1, damaged: 3 })]);
  });
});

/** What happened, by its time: changes of all that is there and of each state. */
interface Happened extends Readonly<Record<'total' | CountedState, number>> {
  readonly at: number;
}
type Kind = readonly [type: MovementType, states?: Pick<StockMovement, 'from' | 'to'>];
const KINDS: readonly (readonly [Kind, Omit<Happened, 'at'>])[] = [
  [['receipt'], { total: 1, damaged: 0, quality_control: 0 }],
  [['sale'], { total: -1, damaged: 0, quality_control: 0 }],
  [['damage'], { total: 0, damaged: 1, quality_control: 0 }],
  [['scrap'], { total: -1, damaged: -1, quality_control: 0 }],
  [['receipt', { to: 'damaged' }], { total: 1, damaged: 1, quality_control: 0 }],
  [['receipt', { to: 'quality_control' }], { total: 1, damaged: 0, quality_control: 1 }],
  [['state', { from: 'available', to: 'quality_control' }], { total: 0, damaged: 0, quality_control: 1 }],
  [['state', { from: 'quality_control', to: 'damaged' }], { total: 0, damaged: 1, quality_control: -1 }],
  [['state', { from: 'damaged', to: 'available' }], { total: 0, damaged: -1, quality_control: 0 }],
  [['scrap', { from: 'quality_control' }], { total: -1, damaged: 0, quality_control: -1 }],
];

describe('histories of counts by state and in all, and of events', () => {
  /** So many of each that nothing runs out, whatever is told first. */
  const PLENTY = 1_000;
  const time = fc.integer({ min: 1, max: 30 });
  const units = fc.integer({ min: 1, max: 4 });
  const about = units.map((one) => PLENTY + one);
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom(...KINDS), units, at: time }),
    fc.record({ count: fc.constantFrom(...(['total', ...COUNTED_STATES] as const)), quantity: about, at: time }),
  );

  it('come to the newest count of each, and what has happened since, in whatever order they are told', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
        const world = new FeedWorld();
        const happened: Happened[] = [{ at: 0, total: 3 * PLENTY, damaged: PLENTY, quality_control: PLENTY }];
        const counts = new Map<string, { readonly at: number; readonly quantity: number }>();
        for (const state of COUNTED_STATES) world.event(state, 'receipt', 1, PLENTY, 0, { to: state });
        world.event('total', 'receipt', 1, PLENTY, 0);
        for (const [index, told] of steps.entries()) {
          if ('kind' in told) {
            const [[type, states], by] = told.kind;
            world.event(`e${index}`, type, 1, told.units, told.at, states);
            const change = (of: 'total' | CountedState): number => by[of] * told.units;
            happened.push({
              at: told.at,
              total: change('total'),
              damaged: change('damaged'),
              quality_control: change('quality_control'),
            });
          } else {
            const { count, quantity: some, at } = told;
            const quantity = count === 'total' ? some + 2 * PLENTY : some;
            if (count === 'total')
              world.count({ node: 1, source: 'wms', deductsAt: null, capturedAt: at, counted: quantity });
            else world.countStates(1, at, [{ state: count, quantity }]);
            if (at >= (counts.get(count)?.at ?? 0)) counts.set(count, { at, quantity });
          }
          const unitsOf = (of: 'total' | CountedState): number => {
            const { at, quantity } = counts.get(of) ?? { at: -1, quantity: 0 };
            return happened.filter((one) => one.at > at).reduce((sum, one) => sum + one[of], quantity);
          };
          const [total, damaged, qualityControl] = [unitsOf('total'), unitsOf('damaged'), unitsOf('quality_control')];
          expect(world.row(1)).toEqual(row({ available: total - damaged - qualityControl, damaged, qualityControl }));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('of both states at once settle first the one that gives units back', () => {
    const world = new FeedWorld();
    world.event('r', 'receipt', 1, 3, 0, { to: 'quality_control' });
    const beyond = world.countStates(1, NOON, [
      { state: 'damaged', quantity: 3 },
      { state: 'quality_control', quantity: 0 },
    ]);
    expect([world.row(1), beyond]).toEqual([row({ damaged: 3 }), 0]);
  });
});
