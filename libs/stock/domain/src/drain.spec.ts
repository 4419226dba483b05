import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { channelAtp } from './atp.ts';
import { barredNodes, drainOf, drainReason } from './drain.ts';
import type { Fence } from './fence.ts';
import { type Backing, type Reservation, open } from './reservation.ts';
import { SellingRules } from './selling-rules.ts';
import type { Stop } from './stop.ts';
import { type Supplies, noSupply } from './supply.ts';
import {
  NOW,
  SHOP,
  WEB,
  fence,
  limited,
  limitedRules,
  sellingChannel,
  sellingNode,
  stop,
  suppliesOf,
  threshold,
} from './testing/arbitraries.ts';
import { backing, bookOf, expectLawful, openOf, reserved, reservedWorld, standing } from './testing/reserved.ts';

const draining = (over: Partial<Stop> = {}): Stop => stop({ drains: true, ...over });
const ORDER = { actor: 'shop', order: 'O1' };
/** Two units at node 1, confirmed. */
const promise = (over: Partial<Reservation> = {}, more: Partial<Backing> = {}): Reservation =>
  reserved([backing(1, { confirmed: 2, ...more })], over);
const free = (all: readonly Reservation[], ...units: readonly number[]): Supplies =>
  bookOf(all, { 1: Object.fromEntries(units.map((available, place) => [place + 1, { available }])) });
const drained = (
  all: readonly Reservation[],
  supplies: Supplies,
  rules = limitedRules({ stops: [draining({ node: 1 })] }),
) => drainOf(1, all, supplies, rules, NOW);
const ends = (found: ReturnType<typeof drained>) => found.effects.map(({ reservation }) => standing(reservation));

/** Node 1 has closed, or is no longer the channel's. */
const closed = new SellingRules([sellingNode(1, { activeTo: NOW }), sellingNode(2)], [WEB, SHOP], []);
const without = new SellingRules([sellingNode(1), sellingNode(2)], [sellingChannel({ nodes: new Set([2]) }), SHOP], []);
const otherTypes = new SellingRules(
  [sellingNode(1), sellingNode(2, { type: '3pl' })],
  [sellingChannel({ nodeTypes: new Set(['3pl']) }), SHOP],
  [],
);

describe('promises leave', () => {
  it.each<[string, SellingRules, readonly Stop[], boolean]>([
    ['where a stop of the node drains', limitedRules({ stops: [draining({ node: 1 })] }), [], true],
    [
      'where a stop of the channel at the node drains',
      limitedRules({ stops: [draining({ node: 1, channel: 1 })] }),
      [],
      true,
    ],
    ['where a stop of the SKU at the node drains', limitedRules({}), [draining({ node: 1 })], true],
    ['not where a stop does not drain', limitedRules({ stops: [stop({ node: 1 })] }), [stop({ node: 1 })], false],
    ['not for another channel’s stop', limitedRules({ stops: [draining({ channel: 2 })] }), [], false],
    ['not for a stop that is over', limitedRules({ stops: [draining({ node: 1, until: NOW })] }), [], false],
    ['a node that has closed', closed, [], true],
    ['a node that their channel has given up', without, [], true],
    ['a node of a type that their channel has given up', otherTypes, [], true],
    ['nothing where all is well', limitedRules({}), [], false],
  ])('%s', (_, rules, stops, isLeaving) => {
    const one = promise();
    const supply = limited(free([one], 3, 9).get(1)!, stops);
    const found = drainOf(1, [one], suppliesOf(supply), rules, NOW);
    expect(ends(found)).toEqual(isLeaving ? [{ 'a@2': { confirmed: 2 } }] : []);
    expect(found.stranded).toEqual([]);
  });

  it('to where their channel’s ATP has units, and leave theirs free', () => {
    const one = promise();
    const found = drained([one], free([one], 3, 0, 1, 5));
    expect(ends(found)).toEqual([{ 'a@4': { confirmed: 2 } }]);
    expect(found.supplies.get(1)!.rows.map(({ available, committed }) => [available, committed])).toEqual([
      [5, 0],
      [0, 0],
      [1, 0],
      [3, 2],
    ]);
  });

  it('never to hidden units, and as far as there are others', () => {
    const one = promise();
    const rules = limitedRules({ stops: [draining({ node: 1 })] }, [threshold({ quantity: 4 })]);
    const found = drained([one], free([one], 0, 5), rules);
    expect(ends(found)).toEqual([{ 'a@1': { confirmed: 1 }, 'a@2': { confirmed: 1 } }]);
    expect(found.stranded).toMatchObject([{ node: 1, quantity: 1, reason: 'stop', candidates: [] }]);
  });

  it('take nothing that is fenced for others, and are charged to their own', () => {
    const one = promise();
    const stops = [draining({ node: 1 })];
    const others: Fence = fence({ channels: new Set([2]), quantity: 8 });
    expect(drained([one], free([one], 0, 9), limitedRules({ stops, fences: [others] })).stranded).toMatchObject([
      { quantity: 1 },
    ]);
    const found = drained([one], free([one], 0, 9), limitedRules({ stops, fences: [fence()] }));
    expect(found.supplies.get(1)!.limits?.fenceUses).toEqual([{ node: 2, fence: 1, used: 2 }]);
  });

  it('keep to the nodes that their buyer chose, and those with few go first', () => {
    const bound = reserved([backing(1, { held: 2 })], { key: 2 }, { 0: [1, 2] });
    const found = drained([promise(), bound], free([promise(), bound], 0, 2, 2));
    expect(found.effects.map(({ reservation }) => [reservation.key, standing(reservation)])).toEqual([
      [2, { 'a@2': { held: 2 } }],
      [1, { 'a@3': { confirmed: 2 } }],
    ]);
  });
});

describe('units that stay all the same are told', () => {
  const nearby = [{ node: 2, atp: 9 }];
  it.each<[string, Reservation, object]>([
    ['those that an order controls', promise({ controller: ORDER }), { fulfilment: null, candidates: nearby }],
    ['those on which a node works', promise({}, { fulfilment: 'F' }), { fulfilment: 'F', candidates: nearby }],
    ['those with no other node', reserved([backing(1, { confirmed: 2 })], {}, { 0: [1] }), { candidates: [] }],
    ['those of a channel that is gone', promise({ channel: 99 }), { candidates: [] }],
  ])('%s', (_, one, told) => {
    const found = drained([one], free([one], 3, 9));
    expect(found.effects).toEqual([]);
    expect(found.stranded).toEqual([
      expect.objectContaining({ reservation: 1, line: 0, node: 1, quantity: 2, reason: 'stop', ...told }),
    ]);
  });

  it('with the nodes that are left after others have moved', () => {
    const [own, other] = [promise({ controller: ORDER }), promise({ key: 2 })];
    const found = drained([own, other], free([own, other], 0, 3));
    expect(found.stranded).toMatchObject([{ reservation: 1, candidates: [{ node: 2, atp: 1 }] }]);
  });

  it('and neither what has ended nor what is to come', () => {
    const one = reserved([backing(1, { fulfilled: 2 }), backing(1, { held: 1, line: 1, kind: 'incoming', detail: 5 })]);
    expect(drained([one], bookOf([one], { 1: { 2: { available: 9 } } }))).toMatchObject({ effects: [], stranded: [] });
  });
});

const someStop = fc
  .record({
    node: fc.constantFrom(1, 1, 2, 3, null),
    channel: fc.constantFrom(null, null, 1, 2),
    drains: fc.constantFrom(true, true, false),
    until: fc.constantFrom(null, null, null, NOW),
  })
  .map(stop);

describe('laws of draining', () => {
  const world = fc.record({
    base: reservedWorld,
    controlled: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    stops: fc.array(someStop, { minLength: 1, maxLength: 3 }),
    ofSku: fc.array(someStop, { maxLength: 1 }),
  });
  it('moves all that may and can move, tells of all else that must leave, and loses no promise', () => {
    let moves = 0;
    fc.assert(
      fc.property(world, ({ base, controlled, stops, ofSku }) => {
        const rules = new SellingRules([...base.rules.nodes.values()], [...base.rules.channels.values()], [], {
          stops,
        });
        const supplies = new Map([...base.supplies].map(([sku, one]) => [sku, limited(one, sku === 1 ? ofSku : [])]));
        const all = base.reservations.map((one, place) => ({
          ...one,
          controller: controlled[place] && place > 0 ? ORDER : null,
        }));
        const found = drainOf(1, all, supplies, rules, NOW);
        const now = all.map(
          (one) => found.effects.find(({ reservation }) => reservation.key === one.key)?.reservation ?? one,
        );
        const supply = found.supplies.get(1) ?? noSupply(1);
        expectLawful(
          supplies,
          { supplies: found.supplies, postings: found.effects.flatMap(({ effect }) => effect.postings) },
          now,
        );
        let leaving = 0;
        for (const [place, one] of now.entries()) {
          const then = all[place]!;
          for (const { no } of one.lines) expect(openOf(one.backings, no)).toEqual(openOf(then.backings, no));
          if (one.controller) expect(one).toBe(then);
          for (const each of one.backings) {
            const isLeaving = each.sku === 1 && drainReason(one, each, supply, rules, NOW) !== null;
            const before = then.backings[each.no];
            if (!isLeaving) {
              if (before && !one.controller) expect(open(each)).toBeGreaterThanOrEqual(open(before));
              continue;
            }
            leaving += open(each);
            if (one.controller || each.fulfilment !== null || open(each) === 0) continue;
            const chosen = one.lines[each.line]!.nodes;
            const at = { channel: rules.channels.get(one.channel)!, nodes: chosen && new Set(chosen), now: NOW };
            expect(channelAtp(supply, rules, at).atp).toBe(0);
          }
        }
        expect(found.stranded.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(leaving);
        expect(drainOf(1, now, found.supplies, rules, NOW)).toMatchObject({ effects: [], stranded: found.stranded });
        moves += found.effects.length;
      }),
      { numRuns: 400 },
    );
    expect(moves).toBeGreaterThan(30);
  });
});

describe('nodes at which promises of a channel may not stay', () => {
  const nodes = [sellingNode(1), sellingNode(2)];
  it.each<[string, SellingRules, readonly number[], readonly number[]]>([
    ['are none where all sell', new SellingRules(nodes, [WEB, SHOP], []), [], []],
    ['are those that have closed', closed, [1], [1]],
    ['are those that do not sell for it', without, [1], []],
    ['are those that are drained', limitedRules({ stops: [draining({ node: 1, channel: 1 })] }), [1], []],
    ['are not those that are only stopped', limitedRules({ stops: [stop({ node: 1 })] }), [], []],
    ['are not those of a drain that is over', limitedRules({ stops: [draining({ until: NOW })] }), [], []],
  ])('%s', (_, rules, web, shop) => {
    const barred = barredNodes(rules, NOW);
    expect([barred.get(WEB.key), barred.get(SHOP.key) ?? []]).toEqual([web, shop]);
  });
});
