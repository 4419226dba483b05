import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyTransfers } from './arithmetic.ts';
import { type VerbEffect, decideConfirm, decideExtend, decideLeave } from './decide-verb.ts';
import { reap } from './reap.ts';
import type { Decision } from './rejection.ts';
import {
  type Backing,
  type Reservation,
  STAGES,
  type Stage,
  TALLIES,
  type Tally,
  endUnits,
  statusOf,
  supplyOf as standsOn,
  totalOf,
} from './reservation.ts';
import type { SelectedUnits } from './select-units.ts';
import { emptyRow, isSamePlace, rowFault } from './supply-row.ts';
import { type Supplies, rowAt, rowOf, suppliesAfter } from './supply.ts';
import {
  NOW,
  backingsOf,
  incoming,
  lineOf,
  openRules,
  reservation,
  row,
  suppliesOf,
  supplyOf,
  talliedUnits,
} from './testing/arbitraries.ts';

const tallies = (backing: Backing): Partial<Record<Tally, number>> =>
  Object.fromEntries(TALLIES.filter((tally) => backing[tally] > 0).map((tally) => [tally, backing[tally]]));
const stages = (backing: Backing): readonly number[] => STAGES.map((stage) => backing[stage]);
const outcome = (decision: Decision<VerbEffect>) =>
  decision.ok
    ? decision.value.reservation.backings.map((backing) => [backing.sku, backing.node, tallies(backing)])
    : decision.rejection;
const rules = openRules();
const live = { now: NOW, reacquire: false };

/** Supplies in which exactly these backings are promised, with `spare` available units at each of their rows. */
function promisedBy(backings: readonly Backing[], spare = 0): Supplies {
  const rows = (sku: number, isFuture: boolean) => {
    const places = backings.flatMap((backing) => (backing.sku === sku ? (standsOn(backing) ?? []) : []));
    const different = places.filter((place, index) => places.findIndex((one) => isSamePlace(one, place)) === index);
    return different
      .filter(({ kind }) => (kind !== 'stock') === isFuture)
      .map((place) => {
        const own = backings.filter((one) => one.sku === sku && isSamePlace(standsOn(one) ?? NOWHERE, place));
        const promises = { reserved: totalOf(own, 'held'), committed: totalOf(own, 'confirmed') };
        return { ...emptyRow(place), available: spare, ...promises };
      });
  };
  return suppliesOf(...[1, 2].map((sku) => supplyOf(sku, rows(sku, false), rows(sku, true))));
}
const NOWHERE = { node: -1, kind: 'stock', detail: 0 } as const;

describe('confirm', () => {
  const backings = backingsOf({ held: 2 }, { line: 1, sku: 2, held: 3 });
  const supplies = promisedBy(backings);

  it('turns every held unit into a confirmed one', () => {
    const decision = decideConfirm(reservation({ backings }), supplies, rules, live);
    expect(outcome(decision)).toEqual([
      [1, 1, { confirmed: 2 }],
      [2, 1, { confirmed: 3 }],
    ]);
    expect(decision.ok && decision.value.reservation.version).toBe(2);
    expect(decision.ok && decision.value.effect.supplies.get(2)!.rows).toEqual([row({ committed: 3 })]);
  });

  it('confirms units wherever they stand, and those that stand on nothing without a change of the book', () => {
    const mixed = backingsOf(
      { held: 1 },
      { kind: 'incoming', detail: 1, held: 2 },
      { kind: 'unbacked', node: 0, held: 4 },
    );
    const decision = decideConfirm(reservation({ backings: mixed }), promisedBy(mixed), rules, live);
    expect(decision.ok && decision.value.reservation.backings.map(({ held, confirmed }) => [held, confirmed])).toEqual([
      [0, 1],
      [0, 2],
      [0, 4],
    ]);
    expect(decision.ok && decision.value.effect.supplies.get(1)).toEqual(
      supplyOf(1, [row({ committed: 1 })], [incoming({ committed: 2 })]),
    );
    expect(decision.ok && decision.value.changes.map(({ node, quantity }) => [node, quantity])).toEqual([
      [1, 1],
      [1, 2],
      [null, 4],
    ]);
  });

  it('keeps how far nodes have come', () => {
    const worked = backingsOf({ held: 2, confirmed: 1, fulfilment: 'f1', accepted: 2, picked: 1 });
    const decision = decideConfirm(reservation({ backings: worked }), promisedBy(worked), rules, live);
    expect(decision.ok && decision.value.reservation.backings.map(stages)).toEqual([[2, 1, 0]]);
  });

  it.each([
    ['a moment before expiry is granted', NOW + 1, true],
    ['at the instant of expiry is refused', NOW, false],
    ['after expiry is refused', NOW - 1, false],
  ])('%s, even if nobody has reaped the hold', (_, expiresAt, ok) => {
    for (const reacquire of ok ? [false] : [false, true]) {
      const decision = decideConfirm(reservation({ backings, expiresAt }), supplies, rules, { now: NOW, reacquire });
      expect(decision.ok ? null : decision.rejection.code).toBe(ok ? null : 'reservation.expired');
    }
  });

  it.each<[string, Partial<Record<Tally, number>>, string]>([
    ['expired', { expired: 1 }, 'reservation.expired'],
    ['confirmed', { confirmed: 1 }, 'reservation.not_held'],
    ['fulfilled', { fulfilled: 1 }, 'reservation.not_held'],
    ['released', { released: 1 }, 'reservation.not_held'],
    ['cancelled', { cancelled: 1 }, 'reservation.not_held'],
    ['broken', { broken: 1 }, 'reservation.not_held'],
  ])('of a reservation whose units are all %s is refused', (_, units, code) => {
    const closed = reservation({ backings: backingsOf(units) });
    const decision = decideConfirm(closed, promisedBy([]), rules, live);
    expect(decision.ok ? null : decision.rejection.code).toBe(code);
  });
});

describe('confirm after expiry with reacquire', () => {
  const again = { now: NOW, reacquire: true };
  const expired = (over: Parameters<typeof reservation>[0] = {}) =>
    reservation({ backings: backingsOf({ expired: 3 }), expiresAt: NOW - 1, ...over });
  const stock = (...quantities: readonly number[]) =>
    suppliesOf(
      supplyOf(
        1,
        quantities.map((quantity, index) => row({ node: index + 1, available: quantity })),
      ),
    );

  it('is a new grant, confirmed at once', () => {
    const decision = decideConfirm(expired(), stock(3), rules, again);
    expect(outcome(decision)).toEqual([[1, 1, { confirmed: 3 }]]);
    expect(decision.ok && decision.value.effect.supplies.get(1)!.rows).toEqual([row({ committed: 3 })]);
  });

  it('takes the units wherever they are now', () => {
    expect(outcome(decideConfirm(expired(), stock(2, 3), rules, again))).toEqual([
      [1, 1, {}],
      [1, 2, { confirmed: 3 }],
    ]);
    expect(outcome(decideConfirm(expired(), stock(2, 1), rules, again))).toEqual([
      [1, 1, { confirmed: 2 }],
      [1, 2, { confirmed: 1 }],
    ]);
  });

  it('is all or nothing', () => {
    expect(outcome(decideConfirm(expired(), stock(1, 1), rules, again))).toEqual({
      code: 'stock.insufficient',
      shortages: [{ line: 0, sku: 1, requested: 3, atp: 2 }],
    });
  });

  it('sums expired units of one line over its nodes', () => {
    const split = expired({ backings: backingsOf({ expired: 1 }, { node: 2, expired: 2 }) });
    expect(outcome(decideConfirm(split, stock(0, 0, 3), rules, again))).toEqual([
      [1, 1, {}],
      [1, 2, {}],
      [1, 3, { confirmed: 3 }],
    ]);
  });

  it('keeps to the nodes of each line', () => {
    const bound = expired({ lines: [lineOf({ granted: 3, nodes: [1] })] });
    expect(decideConfirm(bound, stock(2, 9), rules, again).ok).toBe(false);
    expect(outcome(decideConfirm(bound, stock(3, 9), rules, again))).toEqual([[1, 1, { confirmed: 3 }]]);
  });

  describe('of two lines of one SKU, the second for pickup at node 1', () => {
    const [shipped, pickedUp] = [lineOf({ granted: 2 }), lineOf({ no: 1, granted: 2, nodes: [1] })];
    const two = expired({ lines: [shipped, pickedUp], backings: backingsOf({ expired: 2 }, { line: 1, expired: 2 }) });

    it('keeps the lines apart, and lets the bound one have its node', () => {
      const decision = decideConfirm(two, stock(3, 2), rules, again);
      const lines = decision.ok
        ? decision.value.reservation.backings.map((backing) => [backing.line, backing.node, tallies(backing)])
        : [];
      expect(lines).toEqual([
        [0, 1, {}],
        [1, 1, { confirmed: 2 }],
        [0, 2, { confirmed: 2 }],
      ]);
    });

    it('names the line that is short', () => {
      expect(outcome(decideConfirm(two, stock(1, 9), rules, again))).toEqual({
        code: 'stock.insufficient',
        shortages: [{ line: 1, sku: 1, requested: 2, atp: 1 }],
      });
    });

    it('names it by its number also where a line before it has nothing to get back', () => {
      const second = expired({ ...two, backings: backingsOf({ released: 2 }, { line: 1, expired: 2 }) });
      const granted = decideConfirm(second, stock(2), rules, again);
      expect(granted.ok && granted.value.changes.map(({ line }) => line)).toEqual([1]);
      expect(outcome(decideConfirm(second, stock(1, 9), rules, again))).toEqual({
        code: 'stock.insufficient',
        shortages: [{ line: 1, sku: 1, requested: 2, atp: 1 }],
      });
    });
  });

  it('leaves the fulfilment to which the units had gone', () => {
    const pinned = expired({ backings: backingsOf({ expired: 2, fulfilment: 'f1' }) });
    const decision = decideConfirm(pinned, stock(2), rules, again);
    expect(decision.ok && decision.value.reservation.backings).toEqual(
      backingsOf({ fulfilment: 'f1' }, { confirmed: 2 }),
    );
  });

  it('leaves released units released', () => {
    const part = expired({ backings: backingsOf({ expired: 1, released: 2 }) });
    expect(outcome(decideConfirm(part, stock(5), rules, again))).toEqual([[1, 1, { confirmed: 1, released: 2 }]]);
  });

  it('explains both steps to the ledger', () => {
    const decision = decideConfirm(expired(), stock(3), rules, again);
    const [first, second] = decision.ok ? decision.value.effect.postings : [];
    expect([first?.to, second?.to]).toEqual(['reserved', 'committed']);
  });

  it('is refused as expired when the channel is gone', () => {
    expect(outcome(decideConfirm(expired({ channel: 99 }), stock(3), rules, again))).toEqual({
      code: 'reservation.expired',
    });
  });
});

describe('extend', () => {
  const backings = backingsOf({ held: 1 });
  it.each([
    ['prolongs', NOW + 500, NOW + 500],
    ['never shortens', NOW + 5, NOW + 100],
  ])('%s a live hold', (_, wished, expiresAt) => {
    const decision = decideExtend(reservation({ backings }), wished);
    expect(decision.ok && decision.value.reservation.expiresAt).toBe(expiresAt);
    expect(decision.ok && [...decision.value.effect.supplies, ...decision.value.effect.postings]).toEqual([]);
  });
  it.each<[string, Partial<Record<Tally, number>>, string]>([
    ['an expired hold', { expired: 1 }, 'reservation.expired'],
    ['a confirmed reservation', { confirmed: 1 }, 'reservation.not_held'],
  ])('refuses %s', (_, units, code) => {
    const decision = decideExtend(reservation({ backings: backingsOf(units) }), NOW + 500);
    expect(decision.ok ? null : decision.rejection.code).toBe(code);
  });
});

describe('extend, counted from the creation of the hold', () => {
  const HOUR = 3_600_000;
  const bornAt = (createdAt: number, expiresAt: number): Reservation =>
    reservation({ backings: backingsOf({ held: 1 }), createdAt, expiresAt });
  const until = (decision: ReturnType<typeof decideExtend>): unknown =>
    decision.ok ? decision.value.reservation.expiresAt : decision.rejection;

  it.each<[string, number, number, unknown]>([
    ['what is within four hours is granted', HOUR, 2 * HOUR, 2 * HOUR],
    ['the bound itself is granted', HOUR, 4 * HOUR, 4 * HOUR],
    ['what is beyond is granted up to the bound', HOUR, 5 * HOUR, 4 * HOUR],
    ['a moment is left', 4 * HOUR - 1, 5 * HOUR, 4 * HOUR],
    ['nothing is left', 4 * HOUR, 5 * HOUR, { code: 'reservation.extend_limit', expiresAt: 4 * HOUR }],
    ['a hold that is made to live longer is not cut', 6 * HOUR, 5 * HOUR, 6 * HOUR],
    ['nor prolonged', 6 * HOUR, 7 * HOUR, { code: 'reservation.extend_limit', expiresAt: 6 * HOUR }],
    ['what asks for no more than it has changes nothing', 4 * HOUR, 4 * HOUR, 4 * HOUR],
  ])('%s', (_, expiresAt, asked, answer) => {
    expect(until(decideExtend(bornAt(NOW, NOW + expiresAt), NOW + asked))).toEqual(
      typeof answer === 'number' ? NOW + answer : { ...(answer as object), expiresAt: NOW + expiresAt },
    );
  });

  it('the bound may be another one', () => expect(until(decideExtend(bornAt(0, 10), 99, 50))).toBe(50));

  it('never outlives the bound, however often it is prolonged, and never loses time', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.array(fc.nat(300), { maxLength: 10 }), (first, wishes) => {
        let current = bornAt(NOW, NOW + first);
        for (const wish of wishes) {
          const decision = decideExtend(current, NOW + wish, 150);
          const { expiresAt } = current;
          if (!decision.ok) {
            expect([expiresAt, wish > first]).toEqual([NOW + 150, true]);
            continue;
          }
          current = decision.value.reservation;
          expect(current.expiresAt).toBe(Math.max(expiresAt, Math.min(NOW + wish, NOW + 150)));
        }
        expect(current.expiresAt).toBeLessThanOrEqual(NOW + 150);
      }),
    );
  });
});

describe('release, cancel and fulfil', () => {
  const held = backingsOf({ held: 2 }, { node: 2, held: 3 });
  const confirmed = backingsOf({ confirmed: 2 }, { node: 2, confirmed: 3 });
  const part = (node: number, quantity: number): SelectedUnits => ({ sku: 1, node, quantity });
  const leave = (
    verb: 'release' | 'cancel' | 'fulfil',
    backings: readonly Backing[],
    parts: readonly SelectedUnits[] | null,
  ) => decideLeave(verb, reservation({ backings }), promisedBy(backings), parts);

  it.each([
    ['release', held, 'released'],
    ['cancel', confirmed, 'cancelled'],
    ['fulfil', confirmed, 'fulfilled'],
  ] as const)('%s without parts ends all units', (verb, backings, tally) => {
    const decision = leave(verb, backings, null);
    expect(outcome(decision)).toEqual([
      [1, 1, { [tally]: 2 }],
      [1, 2, { [tally]: 3 }],
    ]);
    expect(decision.ok && statusOf(decision.value.reservation.backings)).toBe('closed');
  });

  it.each([
    ['release', held, 'held', 'released'],
    ['cancel', confirmed, 'confirmed', 'cancelled'],
    ['fulfil', confirmed, 'confirmed', 'fulfilled'],
  ] as const)('%s of parts leaves the others as they are', (verb, backings, from, to) => {
    expect(outcome(leave(verb, backings, [part(2, 1), part(1, 2), part(2, 1)]))).toEqual([
      [1, 1, { [to]: 2 }],
      [1, 2, { [from]: 1, [to]: 2 }],
    ]);
  });

  it.each([
    ['release', held, { available: 2 }],
    ['cancel', confirmed, { available: 2 }],
    ['fulfil', confirmed, {}],
  ] as const)('%s gives back what is free and keeps what has left', (verb, backings, first) => {
    const decision = leave(verb, backings, [part(1, 2)]);
    expect(decision.ok && rowAt(decision.value.effect.supplies.get(1)!, 1)).toEqual(row(first));
  });

  it.each([
    ['release of confirmed units', 'release', confirmed, null, { code: 'reservation.not_held', at: null }],
    ['cancel of held units', 'cancel', held, null, { code: 'reservation.not_confirmed', at: null }],
    ['fulfil of held units', 'fulfil', held, null, { code: 'reservation.not_confirmed', at: null }],
    ['release after expiry', 'release', backingsOf({ expired: 1 }), null, { code: 'reservation.expired' }],
    [
      'more than a backing has',
      'fulfil',
      confirmed,
      [part(1, 3)],
      { code: 'reservation.not_confirmed', at: { sku: 1, node: 1 } },
    ],
    [
      'more than a backing has, in two lines',
      'fulfil',
      confirmed,
      [part(1, 1), part(1, 2)],
      { code: 'reservation.not_confirmed', at: { sku: 1, node: 1 } },
    ],
    [
      'a node without a backing',
      'release',
      held,
      [part(9, 1)],
      { code: 'reservation.not_held', at: { sku: 1, node: 9 } },
    ],
    ['no line at all', 'release', held, [], { code: 'reservation.not_held', at: null }],
  ] as const)('refuses %s, and changes nothing', (_, verb, backings, parts, rejection) => {
    expect(outcome(leave(verb, backings, parts))).toEqual(rejection);
  });

  it('refuses a part of less than nothing as a broken invariant', () => {
    expect(() => leave('release', held, [part(1, -1)])).toThrow(/Broken invariant/);
  });

  it('cancelling a promise that the book lost heals the shortfall instead of freeing units', () => {
    const lost = suppliesOf(supplyOf(1, [row({ committed: 4, shortfall: 3 })]));
    const mine = reservation({ backings: backingsOf({ confirmed: 2 }) });
    const decision = decideLeave('cancel', mine, lost, null);
    expect(decision.ok && decision.value.effect.supplies.get(1)!.rows).toEqual([row({ committed: 2, shortfall: 1 })]);
  });
});

describe('the units that a part names', () => {
  const [OWN, PICKUP] = ['line-0', 'line-1'];
  /** Two lines of SKU 1, the second for pickup, on which two nodes work; and units that stand on nothing, or are on their way. */
  const backings = backingsOf(
    { confirmed: 2 },
    { confirmed: 2, fulfilment: 'f1', accepted: 2, picked: 1 },
    { node: 2, confirmed: 2, fulfilment: 'f2', accepted: 1, picked: 1, shipped: 1 },
    { line: 1, confirmed: 2 },
    { line: 1, confirmed: 2, fulfilment: 'f1', accepted: 1 },
    { kind: 'incoming', detail: 1, confirmed: 2 },
    { kind: 'unbacked', node: 0, confirmed: 2 },
  );
  const mine = reservation({ backings });
  const left = (verb: 'cancel' | 'fulfil', parts: readonly SelectedUnits[] | null) => {
    const decision = decideLeave(verb, mine, promisedBy(backings), parts);
    return decision.ok ? decision.value.reservation.backings.map(({ confirmed }) => confirmed) : decision.rejection;
  };

  it.each<[string, 'cancel' | 'fulfil', readonly SelectedUnits[], readonly number[]]>([
    ['are of any line, if none is named', 'fulfil', [{ quantity: 5 }], [0, 0, 1, 2, 2, 2, 2]],
    ['are of its line', 'fulfil', [{ line: PICKUP, quantity: 3 }], [2, 2, 2, 0, 1, 2, 2]],
    [
      'are of its fulfilment, in the order of lines',
      'fulfil',
      [{ fulfilment: 'f1', quantity: 3 }],
      [2, 0, 2, 2, 1, 2, 2],
    ],
    [
      'are of its fulfilment and line',
      'fulfil',
      [{ line: PICKUP, fulfilment: 'f1', quantity: 1 }],
      [2, 2, 2, 2, 1, 2, 2],
    ],
    ['are those on which nobody works', 'fulfil', [{ fulfilment: null, quantity: 3 }], [0, 2, 2, 1, 2, 2, 2]],
    ['are at its node', 'fulfil', [{ sku: 1, node: 2, quantity: 1 }], [2, 2, 1, 2, 2, 2, 2]],
    [
      'are what earlier parts have left',
      'fulfil',
      [{ quantity: 4 }, { line: OWN, quantity: 2 }],
      [0, 0, 0, 2, 2, 2, 2],
    ],
    ['that end stand on nothing first, then are on their way', 'cancel', [{ quantity: 3 }], [2, 2, 2, 2, 2, 1, 0]],
    ['that end are free of a fulfilment before others', 'cancel', [{ quantity: 9 }], [0, 2, 2, 0, 1, 0, 0]],
    ['that end last are those with which nodes have come far', 'cancel', [{ quantity: 12 }], [0, 0, 2, 0, 0, 0, 0]],
    ['that stand on nothing are named by no node', 'cancel', [{ node: null, quantity: 2 }], [2, 2, 2, 2, 2, 2, 0]],
  ])('%s', (_, verb, parts, confirmed) => expect(left(verb, parts)).toEqual(confirmed));

  it.each<[string, 'cancel' | 'fulfil', SelectedUnits]>([
    ['a line has fewer', 'fulfil', { line: PICKUP, quantity: 5 }],
    ['a fulfilment has fewer', 'fulfil', { fulfilment: 'f2', quantity: 3 }],
    ['nothing there has come yet', 'fulfil', { node: null, quantity: 1 }],
    ['the reservation has no such line', 'cancel', { line: 'line-9', quantity: 1 }],
    ['it has no such SKU', 'cancel', { sku: 2, quantity: 1 }],
    ['a fulfilment is at another node', 'cancel', { node: 1, fulfilment: 'f2', quantity: 1 }],
    ['a part has no unit', 'cancel', { quantity: 0 }],
  ])('are refused where %s', (_, verb, { quantity, ...at }) => {
    expect(left(verb, [{ ...at, quantity }])).toMatchObject({ code: 'reservation.not_confirmed', at });
  });

  it('may be a whole reservation: all that has come is fulfilled, and the rest stays', () => {
    expect(left('fulfil', null)).toEqual([0, 0, 0, 0, 0, 2, 2]);
    expect(left('cancel', null)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  const worked = backingsOf({ confirmed: 6, held: 0, fulfilment: 'f1', accepted: 4, picked: 3, shipped: 1 });
  it.each([
    ['fulfil', 1, [3, 2, 0]],
    ['fulfil', 3, [1, 0, 0]],
    ['fulfil', 5, [0, 0, 0]],
    ['cancel', 1, [4, 3, 1]],
    ['cancel', 2, [4, 3, 1]],
    ['cancel', 3, [3, 3, 1]],
    ['cancel', 5, [1, 1, 1]],
    ['cancel', 6, [0, 0, 0]],
  ] as const)('%s of %d of one backing leaves %j accepted, picked and shipped', (verb, quantity, expected) => {
    const decision = decideLeave(verb, reservation({ backings: worked }), promisedBy(worked), [{ quantity }]);
    expect(decision.ok && decision.value.reservation.backings.map(stages)).toEqual([expected]);
  });

  it('are told by line, node and fulfilment, and nowhere as null', () => {
    const decision = decideLeave('cancel', mine, promisedBy(backings), [{ quantity: 3 }]);
    expect(decision.ok && decision.value.changes).toEqual([
      { line: 0, sku: 1, node: null, fulfilment: null, quantity: 2 },
      { line: 0, sku: 1, node: 1, fulfilment: null, quantity: 1, ahead: { kind: 'incoming', detail: 1 } },
    ]);
  });

  it('change only the rows on which they stand', () => {
    const before = promisedBy(backings);
    const decision = decideLeave('cancel', mine, before, [{ quantity: 3 }]);
    const after = decision.ok ? decision.value.effect.supplies.get(1) : undefined;
    expect(after?.rows).toBe(before.get(1)?.rows);
    expect(after?.future).toEqual([incoming({ committed: 1, available: 1 })]);
  });
});

describe('laws of the verbs', () => {
  const place = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('stock' as const), node: fc.constantFrom(1, 2, 3) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'incoming' as const, node: 1, detail: 1 }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'unbacked' as const, node: 0 }) },
  );
  const backing = fc
    .record({
      line: fc.constantFrom(0, 1, 2),
      place,
      fulfilment: fc.constantFrom(null, null, 'f1'),
      held: fc.nat(4),
      confirmed: fc.nat(4),
      stages: fc.tuple(fc.nat(4), fc.nat(4), fc.nat(4)),
    })
    .map(({ line, place: at, fulfilment, held, confirmed, stages: told }): Partial<Backing> => {
      const isPinned = at.kind === 'stock' && fulfilment !== null;
      const [accepted = 0, picked = 0, shipped = 0] = told
        .map((past) => (isPinned ? Math.min(past, held + confirmed) : 0))
        .sort((a, b) => b - a);
      const pinned = { fulfilment: isPinned ? fulfilment : null, accepted, picked, shipped };
      return { line, sku: line === 2 ? 2 : 1, detail: 0, ...at, ...pinned, held, confirmed };
    });
  const nameOf = ({ line, kind, node, fulfilment }: Partial<Backing>) => `${line}/${kind}/${node}/${fulfilment}`;
  const backings = fc.uniqueArray(backing, { selector: nameOf, maxLength: 6 }).map((parts) => backingsOf(...parts));
  const named = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const part = fc.record({
    line: named(fc.constantFrom('line-0', 'line-1', 'line-2')),
    sku: named(fc.constantFrom(1, 2)),
    node: named(fc.constantFrom(1, 2, 3, null)),
    fulfilment: named(fc.constantFrom(null, 'f1')),
    quantity: fc.integer({ min: 1, max: 4 }),
  });
  const step = fc.record({
    verb: fc.constantFrom('confirm', 'reacquire', 'extend', 'reap', 'release', 'cancel', 'fulfil'),
    parts: fc.option(fc.array(part, { minLength: 1, maxLength: 3 }), { nil: null }),
    later: fc.constantFrom(0, 0, 40, 200),
  });

  /** Rows and postings of a step explain each other, and every row is sound. */
  function expectExplained({ effect }: VerbEffect, before: Supplies): void {
    for (const [sku, { rows, future }] of effect.supplies)
      for (const changed of [...rows, ...future]) {
        const own = effect.postings.filter((posting) => posting.sku === sku && isSamePlace(posting.at, changed));
        expect(rowFault(changed)).toBeNull();
        expect(applyTransfers(rowOf(before.get(sku)!, changed), own)).toEqual(changed);
      }
  }

  function expectPromised(supplies: Supplies, all: readonly Backing[]): void {
    for (const [sku, { rows, future }] of supplies)
      for (const found of [...rows, ...future]) {
        const own = all.filter((one) => one.sku === sku && isSamePlace(standsOn(one) ?? NOWHERE, found));
        expect([found.reserved, found.committed]).toEqual([totalOf(own, 'held'), totalOf(own, 'confirmed')]);
      }
  }

  /** No unit is past a stage that it was not past before, and each that is past one is past those before it. */
  function expectStages(backing_: Backing, earlier: Backing | undefined): void {
    const past = (stage: Stage) => backing_[stage];
    expect(past('accepted')).toBeLessThanOrEqual(backing_.held + backing_.confirmed);
    expect(past('picked')).toBeLessThanOrEqual(past('accepted'));
    expect(past('shipped')).toBeLessThanOrEqual(past('picked'));
    for (const stage of STAGES) expect(past(stage)).toBeLessThanOrEqual(earlier?.[stage] ?? 0);
  }

  it('never lose or make a promised unit of a line, and leave the book explained and sound', () => {
    fc.assert(
      fc.property(backings, fc.nat(5), fc.array(step, { maxLength: 10 }), (some, spare, steps) => {
        let current = reservation({ backings: some });
        let supplies = promisedBy(some, spare);
        let now = NOW;
        const { lines } = current;
        for (const { verb, parts, later } of steps) {
          now += later;
          const done = decide(verb, parts);
          if (!done) continue;
          expectExplained(done, supplies);
          expect(done.reservation.version).toBe(current.version + 1);
          for (const one of done.reservation.backings) expectStages(one, current.backings[one.no]);
          supplies = suppliesAfter(supplies, done.effect);
          current = done.reservation;
          for (const { no, granted } of lines) {
            const own = current.backings.filter(({ line }) => line === no);
            expect(own.reduce((sum, one) => sum + talliedUnits(one), 0)).toBe(granted);
          }
          expectPromised(supplies, current.backings);
        }

        function decide(
          verb: (typeof steps)[number]['verb'],
          parts: readonly SelectedUnits[] | null,
        ): VerbEffect | null {
          if (verb === 'reap') return reap(current, supplies, { locked: new Set([1, 2]), now });
          const decision =
            verb === 'extend'
              ? decideExtend(current, now + 50)
              : verb === 'confirm' || verb === 'reacquire'
                ? decideConfirm(current, supplies, rules, { now, reacquire: verb === 'reacquire' })
                : decideLeave(verb as 'release', current, supplies, parts);
          return decision.ok ? decision.value : null;
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('the state of a reservation', () => {
  it.each<[Partial<Record<Tally, number>>[], string]>([
    [[{ held: 1 }, { confirmed: 1 }], 'held'],
    [[{ released: 1 }, { confirmed: 1 }], 'confirmed'],
    [
      [
        { fulfilled: 1, expired: 1 },
        { cancelled: 1, released: 1 },
      ],
      'closed',
    ],
    [[], 'closed'],
  ])('of %j is %s', (parts, status) => {
    expect(statusOf(backingsOf(...parts.map((units, node) => ({ node, ...units }))))).toBe(status);
  });
  it('cannot give more units than a tally has', () => {
    const [one] = backingsOf({ held: 1 });
    expect(() => endUnits(one!, 'held', 'released', 2, 'least')).toThrow(/Broken invariant/);
  });
});
