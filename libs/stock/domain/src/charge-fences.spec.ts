import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { withCharge } from './charge-fences.ts';
import { channelAtp } from './atp.ts';
import { NO_STATES } from './counted-states.ts';
import { decideAllocate } from './decide-allocate.ts';
import { decideAmend } from './decide-amend.ts';
import { decideGiveUp } from './decide-give-up.ts';
import { decideHold } from './decide-hold.ts';
import { decideReject } from './decide-reject.ts';
import { decideUnfulfil } from './decide-unfulfil.ts';
import { type VerbEffect, decideConfirm, decideLeave } from './decide-verb.ts';
import type { Fence } from './fence.ts';
import { healShortfall } from './heal.ts';
import type { ChannelKey } from './keys.ts';
import { reap } from './reap.ts';
import type { Decision } from './rejection.ts';
import { type Backing, type Reservation, emptyBacking, onNothing, onStock, open } from './reservation.ts';
import type { SellingRules } from './selling-rules.ts';
import { type Supplies, SupplyDraft, fenceUsesOf, noSupply, suppliesAfter } from './supply.ts';
import {
  NOW,
  SHOP,
  WEB,
  WHOLESALE,
  fence,
  limited,
  limitedRules,
  row,
  suppliesOf,
  supplyOf,
} from './testing/arbitraries.ts';
import { expectLawful, reserved } from './testing/reserved.ts';

const D2C = fence({ channels: new Set([WEB.key, SHOP.key]) });
const CHANNELS = [WEB, SHOP, WHOLESALE];

/** A shop floor: the book, the reservations, and rules with fences; every verb changes it as the engine would. */
class Floor {
  supplies: Supplies;
  readonly reservations = new Map<number, Reservation>();
  rules: SellingRules;

  constructor(units: readonly number[], fences: readonly Fence[] = [D2C]) {
    this.supplies = suppliesOf(
      supplyOf(
        1,
        units.map((available, place) => row({ node: place + 1, available })),
      ),
    );
    this.rules = limitedRules({ fences });
  }

  one(key: number): Reservation {
    return this.reservations.get(key)!;
  }

  hold(
    key: number,
    channel: ChannelKey,
    quantity: number,
    nodes: readonly number[] | null = [1],
    isSold = false,
  ): boolean {
    const demand = { lines: [{ sku: 1, quantity, nodes }], allowPartial: false, destination: null, isSold };
    const decision = decideHold(demand, this.supplies, this.rules, { channel: CHANNELS[channel - 1]!, now: NOW });
    if (!decision.ok) return false;
    const draft = new SupplyDraft(new Map());
    const backings = decision.value.units.map(({ node, units, fenced = null }, no) => {
      const at = node === null ? onNothing(0, 1) : onStock(0, 1, node);
      return withCharge({ ...emptyBacking(no, at), held: units }, fenced, draft);
    });
    this.supplies = suppliesAfter(this.supplies, decision.value.effect);
    const lines = nodes && { 0: nodes };
    this.reservations.set(key, { ...reserved(backings, { key, channel }, lines ?? {}), version: 1 });
    return true;
  }

  take(effect: VerbEffect | null): void {
    if (!effect) return;
    this.supplies = suppliesAfter(this.supplies, effect.effect);
    this.reservations.set(effect.reservation.key, effect.reservation);
  }

  decide(decision: Decision<VerbEffect>): boolean {
    if (decision.ok) this.take(decision.value);
    return decision.ok;
  }

  leave(key: number, verb: 'release' | 'cancel' | 'fulfil', quantity: number): boolean {
    return this.decide(decideLeave(verb, this.one(key), this.supplies, [{ quantity }]));
  }
  confirm(key: number): boolean {
    return this.decide(decideConfirm(this.one(key), this.supplies, this.rules, { now: NOW, reacquire: true }));
  }
  expire(key: number): void {
    const overdue = { ...this.one(key), expiresAt: NOW };
    this.take(reap(overdue, this.supplies, { locked: new Set([1]), now: NOW }));
    this.reservations.set(key, { ...this.one(key), expiresAt: NOW + 100 });
  }
  move(key: number, from: number, to: number, quantity: number, override: 'by_hand' | null = null): boolean {
    const parts = [
      {
        reservation: this.one(key),
        expectedVersion: this.one(key).version,
        moves: [{ from: { node: from, fulfilment: null, quantity }, to: { node: to, fulfilment: null } }],
      },
    ];
    const decision = decideAllocate(parts, this.supplies, { rules: this.rules, now: NOW, override });
    if (decision.ok) for (const effect of decision.value.effects) this.take(effect);
    return decision.ok;
  }
  amend(key: number, quantity: number, channel: ChannelKey | null = null): boolean {
    const reservation = this.one(key);
    const { id, sku, nodes } = reservation.lines[0]!;
    const lines = [{ id, sku, quantity, nodes }];
    const amendment = { expectedVersion: reservation.version, lines, channel, destination: undefined, priority: null };
    const terms = { rules: this.rules, now: NOW, override: null };
    return this.decide(decideAmend(reservation, amendment, this.supplies, terms));
  }
  giveUp(key: number, quantity: number): boolean {
    return this.decide(decideGiveUp(this.one(key), [{ quantity }], this.supplies));
  }
  unfulfil(key: number, quantity: number): boolean {
    return this.decide(decideUnfulfil(this.one(key), [{ quantity }], this.supplies, () => 0));
  }
  /** A node starts on its units, and refuses some of them. */
  reject(key: number, quantity: number, moveTo: number | null): boolean {
    const before = this.one(key);
    const backings = before.backings.map((one) =>
      one.kind === 'stock' && one.node === 1 ? { ...one, fulfilment: 'F' } : one,
    );
    if (
      backings.some((one, no) =>
        backings.some((other, at) => at < no && one.node === other.node && one.fulfilment === other.fulfilment),
      )
    )
      return false;
    const selected = { fulfilment: 'F', quantity };
    const isLate = (): boolean => false;
    const target = moveTo === null ? null : { node: moveTo, fulfilment: null };
    const terms = { rules: this.rules, now: NOW, override: null };
    const what = { selected, effect: 'none' as const, moveTo: target, isLate, counted: () => NO_STATES };
    return this.decide(decideReject({ ...before, backings }, what, this.supplies, terms));
  }
  heal(): void {
    const open = [...this.reservations.values()];
    for (const effect of healShortfall(1, open, this.supplies, this.rules, NOW).effects) this.take(effect);
  }

  /** Of web, shop and wholesale at node 1. */
  get seen(): readonly number[] {
    const at = { nodes: new Set([1]), now: NOW };
    return CHANNELS.map((channel) => channelAtp(this.supplies.get(1)!, this.rules, { channel, ...at }).atp);
  }
  used(fenceKey = 1, node = 1): number {
    const uses = fenceUsesOf(this.supplies.get(1) ?? noSupply(1));
    return uses.find((use) => use.fence === fenceKey && use.node === node)?.used ?? 0;
  }
  get backings(): readonly Backing[] {
    return [...this.reservations.values()].flatMap((one) => one.backings);
  }
}

describe('web, shop and wholesale with eight units, of which five are for web and shop', () => {
  type Step = (floor: Floor) => unknown;
  const webHolds =
    (units: number): Step =>
    (floor) =>
      floor.hold(1, WEB.key, units);
  const after = (...steps: readonly Step[]): Floor => {
    const floor = new Floor([8, 8]);
    for (const step of steps) expect(step(floor)).not.toBe(false);
    return floor;
  };
  const all = (floor: Floor): unknown => floor.confirm(1);
  const leave =
    (verb: 'release' | 'cancel' | 'fulfil', units: number): Step =>
    (floor) =>
      floor.leave(1, verb, units);
  const wholesale =
    (units: number): Step =>
    (floor) =>
      floor.hold(3, WHOLESALE.key, units);

  it.each<[string, Floor, readonly number[], number]>([
    ['before anything', after(), [8, 8, 3], 0],
    ['web took two', after(webHolds(2)), [6, 6, 3], 2],
    ['web took five', after(webHolds(5)), [3, 3, 3], 5],
    ['web took six', after(webHolds(6)), [2, 2, 2], 5],
    ['wholesale took three', after(wholesale(3)), [5, 5, 0], 0],
    ['wholesale and web took all', after(wholesale(3), webHolds(5)), [0, 0, 0], 5],
    ['shop took two and web three', after(webHolds(3), (floor) => floor.hold(2, SHOP.key, 2)), [3, 3, 3], 5],
    ['web confirmed five', after(webHolds(5), all), [3, 3, 3], 5],
    ['web was sent five', after(webHolds(5), all, leave('fulfil', 5)), [3, 3, 3], 5],
    [
      'and they came back to the promise',
      after(webHolds(5), all, leave('fulfil', 5), (floor) => floor.unfulfil(1, 5)),
      [3, 3, 3],
      5,
    ],
    ['web released two of five', after(webHolds(5), leave('release', 2)), [5, 5, 3], 3],
    ['web released two of seven', after(webHolds(7), leave('release', 2)), [3, 3, 1], 3],
    ['web cancelled all of seven', after(webHolds(7), all, leave('cancel', 7)), [8, 8, 3], 0],
    [
      'web was sent two and cancelled three',
      after(webHolds(5), all, leave('fulfil', 2), leave('cancel', 3)),
      [6, 6, 3],
      2,
    ],
    ['web let five expire', after(webHolds(5), (floor) => floor.expire(1)), [8, 8, 3], 0],
    ['and got them back', after(webHolds(5), (floor) => floor.expire(1), all), [3, 3, 3], 5],
    ['five of web broke', after(webHolds(5), (floor) => floor.giveUp(1, 5)), [8, 8, 3], 0],
    ['web amended five to two', after(webHolds(5), (floor) => floor.amend(1, 2)), [6, 6, 3], 2],
    ['web amended two to six', after(webHolds(2), (floor) => floor.amend(1, 6)), [2, 2, 2], 5],
    [
      'web handed five over to wholesale',
      after(webHolds(5), (floor) => floor.amend(1, 5, WHOLESALE.key)),
      [3, 3, 0],
      0,
    ],
    ['web handed five over to shop', after(webHolds(5), (floor) => floor.amend(1, 5, SHOP.key)), [3, 3, 3], 5],
    ['wholesale handed three over to web', after(wholesale(3), (floor) => floor.amend(3, 3, WEB.key)), [5, 5, 3], 3],
    ['the node refused two of five', after(webHolds(5), all, (floor) => floor.reject(1, 2, null)), [5, 5, 3], 3],
  ])('%s', (_, floor, seen, used) => {
    expect(floor.seen).toEqual(seen);
    expect(floor.used()).toBe(used);
  });

  it('units that move to another node are charged there, and no longer here', () => {
    const floor = new Floor([8, 8]);
    floor.hold(1, WEB.key, 5, null);
    expect(floor.move(1, 1, 2, 3)).toBe(true);
    expect([floor.used(1, 1), floor.used(1, 2)]).toEqual([2, 3]);
    expect(floor.one(1).backings.map(({ fence: by, fenced }) => [by, fenced])).toEqual([
      [1, 2],
      [1, 3],
    ]);
  });

  it('wholesale may not move to where only fenced units are, except by hand', () => {
    const floor = new Floor([3, 5], [{ ...D2C, nodes: new Set([2]) }]);
    floor.hold(3, WHOLESALE.key, 3, null);
    expect(floor.move(3, 1, 2, 1)).toBe(false);
    expect(floor.move(3, 1, 2, 1, 'by_hand')).toBe(true);
  });

  it('what wholesale has sold already is promised all the same', () => {
    const floor = new Floor([8]);
    expect(floor.hold(3, WHOLESALE.key, 4)).toBe(false);
    expect(floor.hold(3, WHOLESALE.key, 8, [1], true)).toBe(true);
    expect(floor.seen).toEqual([0, 0, 0]);
  });

  it('a fence that is set anew starts at nothing, and voids what was charged to the one before', () => {
    const floor = new Floor([12]);
    floor.hold(1, WEB.key, 4);
    floor.rules = limitedRules({ fences: [{ ...D2C, key: 2 }] });
    expect([floor.seen, floor.used(2)]).toEqual([[8, 8, 3], 0]);
    floor.amend(1, 6);
    expect(floor.one(1).backings.map(({ fence: by, fenced }) => [by, fenced])).toEqual([[2, 2]]);
    expect([floor.used(1), floor.used(2)]).toEqual([0, 2]);
    floor.leave(1, 'release', 6);
    expect([floor.used(1), floor.used(2)]).toEqual([0, 0]);
  });

  it('what was charged to a fence whose use nobody knows any more is forgotten', () => {
    const floor = new Floor([8]);
    floor.hold(1, WEB.key, 4);
    const { rows } = floor.supplies.get(1)!;
    floor.supplies = suppliesOf(limited(supplyOf(1, rows), []));
    floor.leave(1, 'release', 4);
    expect(floor.one(1).backings.map(({ fence: by, fenced }) => [by, fenced])).toEqual([[null, 0]]);
    expect(floor.used()).toBe(0);
  });

  it('a promise that heals is charged where it goes', () => {
    const floor = new Floor([5, 5]);
    floor.hold(1, WEB.key, 5, null);
    const [first, second] = floor.supplies.get(1)!.rows;
    const uses = fenceUsesOf(floor.supplies.get(1)!);
    floor.supplies = suppliesOf(limited(supplyOf(1, [{ ...first!, shortfall: 2 }, second!]), [], uses));
    floor.heal();
    expect([floor.used(1, 1), floor.used(1, 2)]).toEqual([3, 2]);
  });
});

const step = fc.record({
  verb: fc.constantFrom(
    'hold',
    'hold',
    'confirm',
    'release',
    'cancel',
    'fulfil',
    'expire',
    'move',
    'amend',
    'hand_over',
    'give_up',
    'reject',
    'unfulfil',
  ),
  key: fc.integer({ min: 1, max: 4 }),
  channel: fc.integer({ min: 1, max: 3 }),
  units: fc.integer({ min: 1, max: 5 }),
  node: fc.constantFrom(1, 2),
});
const someFences = fc
  .array(
    fc.record({
      channels: fc.constantFrom([1], [1, 2], [3], [2, 3]).map((keys) => new Set(keys)),
      quantity: fc.nat(6),
      nodes: fc.constantFrom<Fence['nodes']>('all', new Set([1])),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((all) => all.map((one, place) => fence({ ...one, key: place + 1 })));

describe('laws of charges', () => {
  it('what is used of a fence is what backings are charged to it, never more than its budget, and no backing beyond its units', () => {
    let charged = 0;
    fc.assert(
      fc.property(someFences, fc.array(step, { minLength: 3, maxLength: 14 }), (fences, steps) => {
        const floor = new Floor([7, 7], fences);
        for (const { verb, key, channel, units, node } of steps) {
          const isNew = !floor.reservations.has(key);
          if (isNew) floor.hold(key, channel, units, node === 1 ? null : [1, 2], units === 5);
          else if (verb === 'confirm') floor.confirm(key);
          else if (verb === 'release' || verb === 'cancel' || verb === 'fulfil') floor.leave(key, verb, units);
          else if (verb === 'expire') floor.expire(key);
          else if (verb === 'move') floor.move(key, 3 - node, node, units, units > 3 ? 'by_hand' : null);
          else if (verb === 'amend') floor.amend(key, units);
          else if (verb === 'hand_over') floor.amend(key, units, channel);
          else if (verb === 'give_up') floor.giveUp(key, units);
          else if (verb === 'reject') floor.reject(key, units, node === 1 ? null : 2);
          else if (verb === 'unfulfil') floor.unfulfil(key, units);
          for (const { node: at, fence: by, used } of fenceUsesOf(floor.supplies.get(1)!)) {
            const own = floor.backings.filter((one) => one.node === at && one.fence === by);
            expect(used).toBe(own.reduce((sum, { fenced }) => sum + fenced, 0));
            expect(used).toBeLessThanOrEqual(fences[by - 1]!.quantity);
            charged += used;
          }
          for (const one of floor.backings) {
            expect(one.fenced).toBeLessThanOrEqual(open(one) + one.fulfilled);
            expect(one.fence === null).toBe(one.fenced === 0);
          }
        }
        expectLawful(floor.supplies, { supplies: new Map(), postings: [] }, [...floor.reservations.values()]);
      }),
      { numRuns: 500 },
    );
    expect(charged).toBeGreaterThan(200);
  });
});
