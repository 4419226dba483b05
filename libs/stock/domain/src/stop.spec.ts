import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideAllocate } from './decide-allocate.ts';
import { decideAmend } from './decide-amend.ts';
import { decideHold } from './decide-hold.ts';
import { decideConfirm, decideExtend, decideLeave } from './decide-verb.ts';
import {
  type Stop,
  type StopChange,
  changedStops,
  isDrained,
  isStopped,
  nextEnd,
  opensWay,
  stopsAfter,
} from './stop.ts';
import type { SkuSupply } from './supply.ts';
import {
  NOW,
  WEB,
  available,
  backingsOf,
  limited,
  limitedRules,
  reservation,
  stop,
  suppliesOf,
} from './testing/arbitraries.ts';
import { backing, bookOf, reserved } from './testing/reserved.ts';

describe('a stop', () => {
  it.each<[string, Partial<Stop>, boolean]>([
    ['of everything', {}, true],
    ['of this node', { node: 1 }, true],
    ['of another node', { node: 2 }, false],
    ['of this channel', { channel: 1 }, true],
    ['of another channel', { channel: 2 }, false],
    ['of this channel at this node', { channel: 1, node: 1 }, true],
    ['of this channel at another node', { channel: 1, node: 2 }, false],
    ['of another channel at this node', { channel: 2, node: 1 }, false],
    ['that ends a moment later', { until: NOW + 1 }, true],
    ['that ends at this instant', { until: NOW }, false],
  ])('%s', (_, over, isMatch) => {
    expect(isStopped([stop(over)], 1, 1, NOW)).toBe(isMatch);
    expect(isDrained([stop(over)], 1, 1, NOW)).toBe(false);
    expect(isDrained([stop({ ...over, drains: true })], 1, 1, NOW)).toBe(isMatch);
    expect(isStopped([stop({ node: 9 }), stop(over)], 1, 1, NOW)).toBe(isMatch);
  });

  it.each<[string, readonly StopChange[], boolean]>([
    ['set', [{ node: 2, channel: null, until: null, mode: 'stop' }], false],
    ['set again as it is', [{ node: 1, channel: null, until: null, mode: 'stop' }], false],
    ['changed', [{ node: 1, channel: null, until: NOW + 1, mode: 'stop' }], true],
    ['lifted', [{ node: 1, channel: null, until: null, mode: 'none' }], true],
    ['lifted that never was', [{ node: 2, channel: null, until: null, mode: 'none' }], false],
  ])('%s may open a way: %j %s', (_, changes, opens) => {
    const before = [stop({ node: 1 })];
    expect(opensWay(before, changes.reduce(stopsAfter, before))).toBe(opens);
  });

  it('none stops nothing', () => expect([isStopped([], 1, 1, NOW), isDrained([], 1, 1, NOW)]).toEqual([false, false]));

  it.each<[string, readonly (number | null)[], number]>([
    ['of none', [], Infinity],
    ['of those without an end', [null], Infinity],
    ['of those that are over', [NOW - 1, NOW], Infinity],
    ['is that of the first to end', [NOW + 9, null, NOW + 2, NOW], NOW + 2],
  ])('the next end %s', (_, ends, next) =>
    expect(
      nextEnd(
        ends.map((until) => stop({ until })),
        NOW,
      ),
    ).toBe(next),
  );

  it('changes the rules when it ends', () =>
    expect(limitedRules({ stops: [stop({ until: NOW + 5 })] }).changesAfter(NOW)).toBe(NOW + 5));
});

/** A stop of any SKU, and the same of this one. */
const KINDS: readonly [string, (over: Partial<Stop>) => readonly [ReturnType<typeof limitedRules>, readonly Stop[]]][] =
  [
    ['of every SKU', (over) => [limitedRules({ stops: [stop(over)] }), []]],
    ['of the SKU', (over) => [limitedRules({}), [stop(over)]]],
  ];

describe.each(KINDS)('while a stop %s holds at node 1', (_, make) => {
  const [rules, stops] = make({ node: 1, drains: true });
  const stocked = (supply: SkuSupply) => suppliesOf(limited(supply, stops));
  const hold = (quantity: number, nodes: readonly number[] | null = null, isSold = false) =>
    decideHold(
      { lines: [{ sku: 1, quantity, nodes }], allowPartial: false, destination: null, isSold },
      stocked(available(1, [9, 2])),
      rules,
      { channel: WEB, now: NOW },
    );

  it('a hold takes from other nodes', () => {
    const decision = hold(2);
    expect(decision.ok && decision.value.units).toEqual([{ line: 0, sku: 1, node: 2, units: 2 }]);
  });
  it('a hold of more is refused', () =>
    expect(hold(3)).toMatchObject({ ok: false, rejection: { code: 'stock.insufficient' } }));
  it('a hold for that node is refused', () => expect(hold(1, [1]).ok).toBe(false));
  it('what is sold already stands on nothing', () => {
    const decision = hold(3, [1], true);
    expect(decision.ok && decision.value.units).toEqual([{ line: 0, sku: 1, node: null, units: 3 }]);
  });

  const held = reservation({ backings: backingsOf({ held: 2 }) });
  const book = bookOf([held], { 1: { 1: { available: 5 }, 2: { available: 5 } } });
  const supplies = stocked(book.get(1)!);

  it('a promise there is prolonged, confirmed, and leaves', () => {
    expect(decideExtend(held, NOW + 500).ok).toBe(true);
    expect(decideLeave('release', held, supplies, null).ok).toBe(true);
    const confirmed = decideConfirm(held, supplies, rules, { now: NOW, reacquire: false });
    expect(
      confirmed.ok &&
        decideLeave(
          'fulfil',
          confirmed.value.reservation,
          new Map([...supplies, ...confirmed.value.effect.supplies]),
          null,
        ).ok,
    ).toBe(true);
  });

  it('an expired promise is acquired elsewhere', () => {
    const expired = reservation({ backings: backingsOf({ expired: 2 }) });
    const decision = decideConfirm(expired, supplies, rules, { now: NOW, reacquire: true });
    expect(decision.ok && decision.value.changes.map(({ node }) => node)).toEqual([2]);
  });

  it('an amendment adds from elsewhere and lets stay what is there, with an override as well', () => {
    for (const override of [null, 'by_hand'] as const) {
      const { id, sku, nodes } = held.lines[0]!;
      const amendment = {
        expectedVersion: 1,
        lines: [{ id, sku, quantity: 5, nodes }],
        channel: null,
        destination: null,
        priority: null,
      };
      const decision = decideAmend(held, amendment, supplies, { rules, now: NOW, override });
      expect(decision.ok && decision.value.reservation.backings.map(({ node, held: units }) => [node, units])).toEqual([
        [1, 2],
        [2, 3],
      ]);
    }
  });

  it.each([
    ['not to it', 2, 1, null, false],
    ['to it by hand', 2, 1, 'by_hand' as const, true],
    ['away from it', 1, 2, null, true],
  ])('a promise moves %s', (_name, from, to, override, isDone) => {
    const one = reserved([backing(from, { confirmed: 1 })]);
    const units = bookOf([one], { 1: { 1: { available: 5 }, 2: { available: 5 } } });
    const moves = [{ from: { node: from, fulfilment: null, quantity: 1 }, to: { node: to, fulfilment: null } }];
    const parts = [{ reservation: one, expectedVersion: 7, moves }];
    expect(decideAllocate(parts, stocked(units.get(1)!), { rules, now: NOW, override }).ok).toBe(isDone);
  });

  it('two orders do not swap with it', () => {
    const [a, b] = [
      reserved([backing(1, { confirmed: 1 })], { key: 1 }),
      reserved([backing(2, { confirmed: 1 })], { key: 2 }),
    ];
    const units = bookOf([a, b]);
    const move = (from: number, to: number) => [
      { from: { node: from, fulfilment: null, quantity: 1 }, to: { node: to, fulfilment: null } },
    ];
    const parts = [
      { reservation: a, expectedVersion: 7, moves: move(1, 2) },
      { reservation: b, expectedVersion: 7, moves: move(2, 1) },
    ];
    expect(decideAllocate(parts, stocked(units.get(1)!), { rules, now: NOW, override: null }).ok).toBe(false);
  });
});

it('a stop more never shows a unit more, and a stop of all shows none', () => {
  const key = fc.constantFrom(null, 1, 2);
  const some = fc.array(fc.record({ node: key, channel: key }).map(stop), { maxLength: 4 });
  fc.assert(
    fc.property(some, some, fc.record({ node: key, channel: key }).map(stop), (ofAny, ofSku, added) => {
      const units = (one: readonly Stop[], other: readonly Stop[]): number => {
        const demand = { lines: [{ sku: 1, quantity: 99, nodes: null }], allowPartial: true, destination: null };
        const supplies = suppliesOf(limited(available(1, [3, 4, 5]), other));
        const decision = decideHold(demand, supplies, limitedRules({ stops: one }), { channel: WEB, now: NOW });
        return decision.ok ? decision.value.granted[0]! : 0;
      };
      expect(units([...ofAny, added], ofSku)).toBeLessThanOrEqual(units(ofAny, ofSku));
      expect(units(ofAny, [...ofSku, added])).toBe(units([...ofAny, added], ofSku));
      expect(units([...ofAny, stop()], ofSku)).toBe(0);
    }),
  );
});

describe('a list of stops', () => {
  const there = [stop({ node: 1 }), stop({ node: 1, channel: 2, drains: true, until: NOW })];
  const told = (over: Partial<StopChange>): StopChange => ({
    node: 1,
    channel: null,
    mode: 'stop',
    until: null,
    ...over,
  });

  it.each<[string, StopChange, readonly Stop[], readonly Stop[]]>([
    ['takes a new one', told({ node: null }), [stop()], []],
    ['has one for a place, and the last told counts', told({ mode: 'drain' }), [stop({ node: 1, drains: true })], []],
    ['takes another end', told({ until: NOW }), [stop({ node: 1, until: NOW })], []],
    ['loses one that is lifted', told({ mode: 'none' }), [], [stop({ node: 1 })]],
  ])('%s', (_, change, set, lifted) => {
    const after = stopsAfter(there, change);
    expect(changedStops(there, after)).toEqual({ set, lifted });
    expect(stopsAfter(after, change)).toBe(after);
  });

  it('is the same one where nothing changes', () => {
    for (const change of [told({}), told({ channel: 2, mode: 'drain', until: NOW }), told({ node: 3, mode: 'none' })]) {
      expect(stopsAfter(there, change)).toBe(there);
    }
  });
});
