import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { policyOf } from './allocation.ts';
import { lowestKey } from './allocation-rules.ts';
import { channelAtp } from './atp.ts';
import { type Healing, healShortfall } from './heal.ts';
import { type Backing, type Reservation, open } from './reservation.ts';
import { type Supplies, rowAt } from './supply.ts';
import type { SupplyRow } from './supply-row.ts';
import { NOW, fromAll, notAt, openRules, threshold } from './testing/arbitraries.ts';
import { backing, bookOf, expectLawful, openOf, reserved, reservedWorld, standing } from './testing/reserved.ts';

const two = [
  reserved([backing(1, { held: 2 })], { key: 1 }),
  reserved([backing(1, { confirmed: 2 })], { key: 2 }),
] as const;
const short = (all: readonly Reservation[], shortfall: number, ...free: readonly number[]): Supplies =>
  bookOf(all, {
    1: { 1: { shortfall }, ...Object.fromEntries(free.map((available, index) => [index + 2, { available }])) },
  });
const heal = (supplies: Supplies, candidates: readonly Reservation[], rules = openRules(), sku = 1): Healing =>
  healShortfall(sku, candidates, supplies, rules, NOW);
const moved = (from: number, to: number, quantity: number): object => ({
  line: 0,
  sku: 1,
  node: from,
  quantity,
  fulfilment: null,
  to: { node: to, fulfilment: null },
});

describe('healing a shortfall', () => {
  it('moves no more than the shortfall, and the first candidates first', () => {
    const found = heal(short(two, 3, 9), two);
    expect(found.effects.map(({ reservation: { key, version }, changes }) => [key, version, changes])).toEqual([
      [1, 8, [moved(1, 2, 2)]],
      [2, 8, [moved(1, 2, 1)]],
    ]);
    expect(found.short).toEqual([]);
  });

  it('says what no eligible node can cover', () =>
    expect(heal(short(two, 3, 1), two).short).toEqual([{ node: 1, quantity: 2 }]));

  it.each<[string, Partial<Backing>, Partial<Reservation>]>([
    ['units on which a node works', { fulfilment: 'F' }, {}],
    ['what an order controls, which is for the order', {}, { controller: { actor: 'shop', order: 'O1' } }],
    ['what a channel sold that is gone', {}, { channel: 99 }],
  ])('lets others move in the place of %s', (_, over, more) => {
    const stays = reserved([backing(1, { held: 2, ...over })], { key: 1, ...more });
    const found = heal(short([stays, two[1]], 3, 9), [stays, two[1]]);
    expect(found.effects.map(({ reservation: { key } }) => key)).toEqual([2]);
    expect(found.short).toEqual([{ node: 1, quantity: 1 }]);
  });

  it('moves those first that only few nodes may serve', () => {
    const bound = reserved([backing(1, { held: 2 })], { key: 3 }, { 0: [1, 2] });
    const found = heal(short([two[0], bound], 4, 2, 2), [two[0], bound]);
    expect(found.effects.map(({ reservation }) => standing(reservation))).toEqual([
      { 'a@2': { held: 2 } },
      { 'a@3': { held: 2 } },
    ]);
    expect(found.effects.map(({ reservation: { key } }) => key)).toEqual([3, 1]);
  });

  it('keeps each line at the nodes that its buyer chose', () => {
    const pickup = reserved([backing(1, { held: 1 }), backing(1, { held: 1, line: 1 })], {}, { 0: [1] });
    const found = heal(short([pickup], 2, 9), [pickup]);
    expect(standing(found.effects[0]!.reservation)).toEqual({ 'a@1': { held: 1 }, 'b@2': { held: 1 } });
    expect(found.short).toEqual([{ node: 1, quantity: 1 }]);
  });

  it('never takes hidden units', () => {
    const supplies = short(two, 3, 4);
    const left = [{ node: 1, quantity: 2 }];
    expect(heal(supplies, two, openRules([threshold({ quantity: 3 })])).short).toEqual(left);
    expect(heal(supplies, two, openRules([threshold({ scope: 'network', quantity: 3 })])).short).toEqual(left);
  });

  it('leaves other SKUs and what is to come where they are', () => {
    const mixed = reserved([
      backing(1, { held: 1, sku: 2 }),
      backing(1, { held: 1, line: 1, kind: 'incoming', detail: 5 }),
      backing(1, { held: 1, line: 1 }),
    ]);
    const supplies = bookOf([mixed], { 1: { 1: { shortfall: 1 }, 2: { available: 9 } }, 2: { 1: { shortfall: 1 } } });
    const found = heal(supplies, [mixed]);
    expect(found.effects[0]!.reservation.backings.map(({ held }) => held)).toEqual([1, 1, 0, 1]);
  });

  it('has nothing to do for a SKU that nobody locked', () =>
    expect(heal(new Map(), [], openRules(), 9)).toEqual({ effects: [], supplies: new Map(), short: [] }));

  it('moves promises where its policy says, and leaves short what it refuses to move', () => {
    const promise = reserved([backing(1, { confirmed: 3 })]);
    const policy = policyOf([notAt(2), lowestKey]);
    const found = healShortfall(1, [promise], short([promise], 3, 9, 2), openRules(), NOW, policy);
    expect(found.effects.flatMap(({ changes }) => changes)).toEqual([moved(1, 3, 2)]);
    expect(found.short).toEqual([{ node: 1, quantity: 1 }]);
  });
});

const healed = (reservations: readonly Reservation[], { effects }: Healing): readonly Reservation[] =>
  reservations.map((one) => effects.find(({ reservation: { key } }) => key === one.key)?.reservation ?? one);
const sumOver = (supplies: Supplies, units: (row: SupplyRow) => number): number =>
  supplies.get(1)?.rows.reduce((sum, row) => sum + units(row), 0) ?? 0;
/** Some of the reservations are controlled by an order. */
const world = fc
  .record({ base: reservedWorld, controlled: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }) })
  .map(({ base, controlled }) => ({
    ...base,
    reservations: base.reservations.map((one, index) => ({
      ...one,
      controller: controlled[index] && index > 0 ? { actor: 'shop', order: 'O1' } : null,
    })),
  }));

describe('laws of healing', () => {
  it('leaves nothing movable: each movable promise is covered, or its channel has no ATP for it', () => {
    fc.assert(
      fc.property(world, ({ supplies, reservations, rules }) => {
        const found = heal(supplies, reservations, rules);
        const after = found.supplies.get(1)!;
        for (const one of healed(reservations, found).filter(({ controller }) => controller === null)) {
          const channel = rules.channels.get(one.channel)!;
          for (const { line, sku, kind, node, fulfilment, ...units } of one.backings) {
            if (sku !== 1 || kind !== 'stock' || fulfilment !== null || open(units) === 0) continue;
            const chosen = one.lines[line]!.nodes;
            const { atp } = channelAtp(after, rules, fromAll({ channel, nodes: chosen && new Set(chosen) }));
            expect(Math.min(rowAt(after, node).shortfall, atp)).toBe(0);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it('keeps every promise and a lawful book, and moves nothing that was covered, worked on or controlled', () => {
    let healings = 0;
    fc.assert(
      fc.property(world, ({ supplies, reservations, rules }) => {
        const found = heal(supplies, reservations, rules);
        const now = healed(reservations, found);
        const postings = found.effects.flatMap(({ effect }) => effect.postings);
        expectLawful(supplies, { supplies: found.supplies, postings }, now);
        for (const [index, one] of reservations.entries()) {
          for (const { no } of one.lines) expect(openOf(now[index]!.backings, no)).toEqual(openOf(one.backings, no));
          if (one.controller) expect(now[index]).toBe(one);
          for (const then of one.backings) {
            const isBound = then.fulfilment !== null || then.kind !== 'stock' || then.sku !== 1;
            if (isBound) expect(now[index]!.backings[then.no]).toBe(then);
          }
        }
        const sum = found.effects
          .flatMap(({ changes }) => changes)
          .reduce((total, { quantity }) => total + quantity, 0);
        const shortfall = (all: Supplies) => sumOver(all, (row) => row.shortfall);
        expect(shortfall(supplies) - shortfall(found.supplies)).toBe(sum);
        expect(found.short.reduce((total, { quantity }) => total + quantity, 0)).toBe(shortfall(found.supplies));
        if (sum > 0) healings++;
      }),
      { numRuns: 400 },
    );
    expect(healings).toBeGreaterThan(20);
  });

  it('changes nothing more the second time', () => {
    fc.assert(
      fc.property(world, ({ supplies, reservations, rules }) => {
        const first = heal(supplies, reservations, rules);
        const second = heal(first.supplies, healed(reservations, first), rules);
        expect(second.effects).toEqual([]);
        expect(second.short).toEqual(first.short);
      }),
      { numRuns: 250 },
    );
  });
});
