import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyTransfers } from './arithmetic.ts';
import { type PartLine, type VerbEffect, decideConfirm, decideExtend, decideLeave } from './decide-verb.ts';
import { reap } from './reap.ts';
import type { Decision } from './rejection.ts';
import { type Backing, type Tally, newBacking, retally, statusOf, totalOf } from './reservation.ts';
import { rowFault } from './supply-row.ts';
import { type Supplies, rowAt } from './supply.ts';
import { NOW, openRules, reservation, row, suppliesOf, supplyOf } from './testing/arbitraries.ts';

const TALLIES = ['held', 'confirmed', 'fulfilled', 'released', 'expired', 'cancelled'] as const;
const tallies = (backing: Backing): Partial<Record<Tally, number>> =>
  Object.fromEntries(TALLIES.filter((tally) => backing[tally] > 0).map((tally) => [tally, backing[tally]]));
const outcome = (decision: Decision<VerbEffect>) =>
  decision.ok
    ? decision.value.reservation.backings.map((backing) => [backing.sku, backing.node, tallies(backing)])
    : decision.rejection;
const after = (before: Supplies, { effect }: VerbEffect): Supplies => new Map([...before, ...effect.supplies]);
const pin = { fulfilmentId: 'ful_1', orderVersion: 1 };
const rules = openRules();
const live = { now: NOW, reacquire: false };

/** Supplies in which exactly these backings are promised, with `spare` available units at each of their rows. */
const promisedBy = (backings: readonly Backing[], spare = 0): Supplies => {
  const rows = (sku: number) =>
    backings
      .filter((backing) => backing.sku === sku)
      .map(({ node, held, confirmed }) => row({ node, available: spare, reserved: held, committed: confirmed }));
  return suppliesOf(supplyOf(1, rows(1)), supplyOf(2, rows(2)));
};

describe('confirm', () => {
  const backings = [newBacking(1, 1, { held: 2 }), newBacking(2, 1, { held: 3 })];
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
  ])('of a reservation whose units are all %s is refused', (_, units, code) => {
    const closed = reservation({ backings: [newBacking(1, 1, units)] });
    const decision = decideConfirm(closed, promisedBy([]), rules, live);
    expect(decision.ok ? null : decision.rejection.code).toBe(code);
  });
});

describe('confirm after expiry with reacquire', () => {
  const again = { now: NOW, reacquire: true };
  const expired = (over: Parameters<typeof reservation>[0] = {}) =>
    reservation({ backings: [newBacking(1, 1, { expired: 3 })], expiresAt: NOW - 1, ...over });
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
      shortages: [{ sku: 1, requested: 3, atp: 2 }],
    });
  });

  it('sums expired units of one SKU over its nodes', () => {
    const split = expired({ backings: [newBacking(1, 1, { expired: 1 }), newBacking(1, 2, { expired: 2 })] });
    expect(outcome(decideConfirm(split, stock(0, 0, 3), rules, again))).toEqual([
      [1, 1, {}],
      [1, 2, {}],
      [1, 3, { confirmed: 3 }],
    ]);
  });

  it('keeps to the reservation’s nodes', () => {
    expect(decideConfirm(expired({ nodes: [1] }), stock(2, 9), rules, again).ok).toBe(false);
  });

  it('leaves released units released', () => {
    const part = expired({ backings: [newBacking(1, 1, { expired: 1, released: 2 })] });
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
  const backings = [newBacking(1, 1, { held: 1 })];
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
    const decision = decideExtend(reservation({ backings: [newBacking(1, 1, units)] }), NOW + 500);
    expect(decision.ok ? null : decision.rejection.code).toBe(code);
  });
});

describe('release, cancel and fulfil', () => {
  const held = [newBacking(1, 1, { held: 2 }), newBacking(1, 2, { held: 3 })];
  const confirmed = [newBacking(1, 1, { confirmed: 2 }), newBacking(1, 2, { confirmed: 3 })];
  const part = (node: number, quantity: number): PartLine => ({ sku: 1, node, quantity });
  const leave = (
    verb: 'release' | 'cancel' | 'fulfil',
    backings: readonly Backing[],
    parts: readonly PartLine[] | null,
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
    ['release after expiry', 'release', [newBacking(1, 1, { expired: 1 })], null, { code: 'reservation.expired' }],
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

  it('lets the pin fall with the last open unit, not before', () => {
    const pinned = [{ ...newBacking(1, 1, { confirmed: 2 }), pin }];
    const once = leave('fulfil', pinned, [part(1, 1)]);
    expect(once.ok && once.value.reservation.backings[0]!.pin).toEqual(pin);
    const all = leave('fulfil', pinned, null);
    expect(all.ok && all.value.reservation.backings[0]!.pin).toBeNull();
  });

  it('refuses a part of less than nothing as a broken invariant', () => {
    expect(() => leave('release', held, [part(1, -1)])).toThrow(/Broken invariant/);
  });

  it('cancelling a promise that the book lost heals the shortfall instead of freeing units', () => {
    const lost = suppliesOf(supplyOf(1, [row({ committed: 4, shortfall: 3 })]));
    const mine = reservation({ backings: [newBacking(1, 1, { confirmed: 2 })] });
    const decision = decideLeave('cancel', mine, lost, null);
    expect(decision.ok && decision.value.effect.supplies.get(1)!.rows).toEqual([row({ committed: 2, shortfall: 1 })]);
  });
});

describe('laws of the verbs', () => {
  const backing = fc
    .record({ sku: fc.constantFrom(1, 2), node: fc.constantFrom(1, 2, 3), held: fc.nat(4), confirmed: fc.nat(4) })
    .map(({ sku, node, ...units }) => newBacking(sku, node, units));
  const backings = fc.uniqueArray(backing, { selector: ({ sku, node }) => `${sku}/${node}`, maxLength: 5 });
  const part = fc.record({
    sku: fc.constantFrom(1, 2),
    node: fc.constantFrom(1, 2, 3),
    quantity: fc.integer({ min: 1, max: 4 }),
  });
  const step = fc.record({
    verb: fc.constantFrom('confirm', 'reacquire', 'extend', 'reap', 'release', 'cancel', 'fulfil'),
    parts: fc.option(fc.array(part, { minLength: 1, maxLength: 3 }), { nil: null }),
    later: fc.constantFrom(0, 0, 40, 200),
  });

  it('never lose or make a promised unit, and leave the book explained and sound', () => {
    fc.assert(
      fc.property(backings, fc.nat(5), fc.array(step, { maxLength: 10 }), (some, spare, steps) => {
        let current = reservation({ backings: some });
        let supplies = promisedBy(some, spare);
        let now = NOW;
        const sum = (sku: number) =>
          current.backings
            .filter((candidate) => candidate.sku === sku)
            .reduce((total, candidate) => total + TALLIES.reduce((units, tally) => units + candidate[tally], 0), 0);
        const before = [sum(1), sum(2)];
        for (const { verb, parts, later } of steps) {
          now += later;
          const done = decide(verb, parts);
          if (!done) continue;
          for (const [sku, { rows }] of done.effect.supplies)
            for (const changed of rows) {
              const own = done.effect.postings.filter(
                (posting) => posting.sku === sku && posting.node === changed.node,
              );
              expect(rowFault(changed)).toBeNull();
              expect(applyTransfers(rowAt(supplies.get(sku)!, changed.node), own)).toEqual(changed);
            }
          expect(done.reservation.version).toBe(current.version + 1);
          supplies = after(supplies, done);
          current = done.reservation;
          expect([sum(1), sum(2)]).toEqual(before);
          for (const [sku, { rows }] of supplies)
            for (const { node, reserved, committed } of rows) {
              const own = current.backings.filter((candidate) => candidate.sku === sku && candidate.node === node);
              expect([reserved, committed]).toEqual([totalOf(own, 'held'), totalOf(own, 'confirmed')]);
            }
        }

        function decide(verb: (typeof steps)[number]['verb'], parts: readonly PartLine[] | null): VerbEffect | null {
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
    expect(statusOf(parts.map((units, index) => newBacking(1, index, units)))).toBe(status);
  });
  it('cannot give more units than a tally has', () => {
    expect(() => retally(newBacking(1, 1, { held: 1 }), 'held', 'released', 2)).toThrow(/Broken invariant/);
  });
});
