import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { policyOf } from './allocation.ts';
import { lowestKey } from './allocation-rules.ts';
import { applyTransfers } from './arithmetic.ts';
import { channelAtp } from './atp.ts';
import { type Healing, type Move, decideReback, healShortfall } from './decide-reback.ts';
import { type Pin, type Reservation, newBacking, totalOf } from './reservation.ts';
import { SellingRules } from './selling-rules.ts';
import { type SupplyRow, onHand, rowFault } from './supply-row.ts';
import { type Supplies, rowAt } from './supply.ts';
import {
  NOW,
  fromAll,
  notAt,
  openRules,
  reservation,
  row,
  sellingChannel,
  sellingNode,
  suppliesOf,
  supplyOf,
  threshold,
} from './testing/arbitraries.ts';

const pin = { fulfilmentId: 'ful_1', orderVersion: 3 };
const move = (from: number, to: number, quantity: number, over: Partial<Move> = {}): Move => ({
  sku: 1,
  from,
  to,
  quantity,
  unpin: false,
  ...over,
});
const book = (...rows: readonly Partial<SupplyRow>[]): Supplies =>
  suppliesOf(
    supplyOf(
      1,
      rows.map((units, index) => row({ node: index + 1, ...units })),
    ),
  );

describe('re-back', () => {
  const mine = reservation({ version: 7, backings: [newBacking(1, 1, { confirmed: 3, held: 1 })] });
  const start = book({ committed: 3, reserved: 1 }, { available: 5 }, {});
  const reback = (moves: readonly Move[], over: Partial<Parameters<typeof decideReback>[3]> = {}, of = mine) =>
    decideReback(of, start, openRules(), { expectedVersion: 7, moves, pin: null, now: NOW, ...over });
  const rows = (decision: ReturnType<typeof reback>) =>
    decision.ok ? decision.value.effect.supplies.get(1)!.rows : decision.rejection;

  it('moves confirmed units as confirmed, and held ones as held', () => {
    const decision = reback([move(1, 2, 4)]);
    expect(rows(decision)).toEqual([
      row({ available: 4 }),
      row({ node: 2, available: 1, committed: 3, reserved: 1 }),
      row({ node: 3 }),
    ]);
    expect(decision.ok && decision.value.reservation.backings).toEqual([
      newBacking(1, 1, {}),
      newBacking(1, 2, { confirmed: 3, held: 1 }),
    ]);
    expect(decision.ok && decision.value.reservation.version).toBe(8);
    expect(decision.ok && decision.value.changes).toEqual([{ sku: 1, node: 1, quantity: 4, to: 2 }]);
  });

  it('moves confirmed units first when it moves a part', () => {
    const decision = reback([move(1, 2, 2)]);
    expect(decision.ok && decision.value.reservation.backings).toEqual([
      newBacking(1, 1, { confirmed: 1, held: 1 }),
      newBacking(1, 2, { confirmed: 2 }),
    ]);
  });

  it('takes its destination before it gives its source back', () => {
    const decision = reback([move(1, 2, 3)]);
    const touched = decision.ok ? decision.value.effect.postings.map(({ node }) => node) : [];
    expect(touched).toEqual([2, 2, 1]);
  });

  it.each([6, 8])('is refused when it was decided on another version than 7: %i', (expectedVersion) => {
    expect(reback([move(1, 2, 1)], { expectedVersion })).toEqual({
      ok: false,
      rejection: { code: 'reback.conflict', version: 7 },
    });
  });

  it.each<[string, readonly Move[], object]>([
    ['more than the source has', [move(1, 2, 5)], { code: 'reback.not_backed', at: { sku: 1, node: 1 } }],
    ['from a node without a backing', [move(3, 2, 1)], { code: 'reback.not_backed', at: { sku: 1, node: 3 } }],
    ['from a node to itself', [move(1, 1, 1)], { code: 'reback.not_backed', at: { sku: 1, node: 1 } }],
    ['the same units twice', [move(1, 2, 3), move(1, 2, 2)], { code: 'reback.not_backed', at: { sku: 1, node: 1 } }],
    [
      'to a node without units',
      [move(1, 3, 1)],
      { code: 'stock.insufficient', shortages: [{ sku: 1, requested: 1, atp: 0 }] },
    ],
    [
      'to a node that the rules do not know',
      [move(1, 9, 1)],
      { code: 'stock.insufficient', shortages: [{ sku: 1, requested: 1, atp: 0 }] },
    ],
    [
      'all when one move cannot be',
      [move(1, 2, 1), move(1, 3, 1)],
      { code: 'stock.insufficient', shortages: [{ sku: 1, requested: 1, atp: 0 }] },
    ],
  ])('refuses to move %s', (_, moves, rejection) => expect(rows(reback(moves))).toEqual(rejection));

  it('keeps a pickup at the nodes its buyer chose', () => {
    const pickup = { ...mine, nodes: [1, 3] };
    const insufficient = { code: 'stock.insufficient', shortages: [{ sku: 1, requested: 1, atp: 0 }] };
    expect(rows(reback([move(1, 2, 1)], {}, pickup))).toEqual(insufficient);
    expect(reback([move(1, 2, 1)], {}, { ...mine, nodes: [1, 2] }).ok).toBe(true);
  });

  it.each<[string, Pin | null, boolean]>([
    ['another fulfilment', { fulfilmentId: 'ful_2', orderVersion: 1 }, false],
    ['a later version of the order', { fulfilmentId: 'ful_1', orderVersion: 2 }, false],
    ['no fulfilment', null, false],
    ['the very fulfilment that has it', { fulfilmentId: 'ful_1', orderVersion: 1 }, true],
  ])('moves units for %s onto a pinned backing only if the pin is its own', (_, pin, allowed) => {
    const there = { ...newBacking(1, 2, { confirmed: 0, held: 0 }), pin: { fulfilmentId: 'ful_1', orderVersion: 1 } };
    const decision = reback([move(1, 2, 1)], { pin }, { ...mine, backings: [...mine.backings, there] });
    expect(decision.ok).toBe(allowed);
    if (!decision.ok) expect(decision.rejection).toEqual({ code: 'reback.pinned', at: { sku: 1, node: 2 } });
  });

  it('never takes units that a threshold hides at the destination', () => {
    const decide = (quantity: number) =>
      decideReback(mine, start, openRules([threshold({ node: 2, quantity: 3 })]), {
        expectedVersion: 7,
        moves: [move(1, 2, quantity)],
        pin: null,
        now: NOW,
      });
    expect(decide(2).ok).toBe(true);
    expect(rows(decide(3))).toEqual({ code: 'stock.insufficient', shortages: [{ sku: 1, requested: 3, atp: 2 }] });
  });

  it('goes nowhere for a channel that is gone', () => {
    expect(reback([move(1, 2, 1)], {}, { ...mine, channel: 99 }).ok).toBe(false);
  });

  it('can use what an earlier move of the same request freed', () => {
    const two = reservation({
      version: 7,
      backings: [newBacking(1, 1, { confirmed: 1 }), newBacking(1, 3, { held: 1 })],
    });
    const full = book({ committed: 1 }, { available: 1 }, { reserved: 1 });
    const decide = (moves: readonly Move[]) =>
      decideReback(two, full, openRules(), { expectedVersion: 7, moves, pin: null, now: NOW });
    expect(decide([move(1, 2, 1), move(3, 1, 1)]).ok).toBe(true);
    expect(decide([move(3, 1, 1), move(1, 2, 1)]).ok).toBe(false);
  });

  describe('of pinned units', () => {
    const pinned = { ...mine, backings: [{ ...newBacking(1, 1, { confirmed: 3, held: 1 }), pin }] };
    it('waits until the node has let go', () => {
      expect(rows(reback([move(1, 2, 1)], {}, pinned))).toEqual({ code: 'reback.pinned', at: { sku: 1, node: 1 } });
    });
    it.each([
      ['stays on what is left', 1, pin],
      ['falls when nothing is left', 4, null],
    ])('happens once it has, and the pin %s', (_, quantity, left) => {
      const decision = reback([move(1, 2, quantity, { unpin: true })], {}, pinned);
      expect(decision.ok && decision.value.reservation.backings.map((backing) => backing.pin)).toEqual([left, null]);
    });
    it('pins what it moved for the node that works on it next', () => {
      const decision = reback(
        [move(1, 2, 4, { unpin: true })],
        { pin: { fulfilmentId: 'ful_2', orderVersion: 4 } },
        pinned,
      );
      expect(decision.ok && decision.value.reservation.backings.map((backing) => backing.pin?.fulfilmentId)).toEqual([
        undefined,
        'ful_2',
      ]);
    });
  });
});

const NODES = [1, 2, 3, 4];
interface World {
  readonly supplies: Supplies;
  readonly reservations: readonly Reservation[];
  readonly rules: SellingRules;
}
/** Reservations of one SKU over four nodes, the book that backs them, and rules that hide some of it. */
const world: fc.Arbitrary<World> = fc
  .record({
    reservations: fc.array(
      fc.record({
        channel: fc.constantFrom(1, 2),
        nodes: fc.option(fc.subarray(NODES, { minLength: 1 }), { nil: null }),
        pins: fc.subarray(NODES, { maxLength: 1 }),
        backings: fc.uniqueArray(
          fc.record({ node: fc.constantFrom(...NODES), held: fc.nat(3), confirmed: fc.nat(3) }),
          { selector: ({ node }) => node, maxLength: 3 },
        ),
      }),
      { maxLength: 6 },
    ),
    free: fc.tuple(...NODES.map(() => fc.nat(8))),
    short: fc.tuple(...NODES.map(() => fc.oneof(fc.constant(0), fc.nat(12)))),
    served: fc.option(fc.subarray(NODES), { nil: null }),
    thresholds: fc.array(
      fc.record({ scope: fc.constantFrom('node' as const, 'network' as const), quantity: fc.nat(3) }),
      { maxLength: 2 },
    ),
  })
  .map(({ reservations: some, free, short, served, thresholds }) => {
    const reservations = some.map(({ channel, nodes, pins, backings }, index) =>
      reservation({
        key: index + 1,
        channel,
        nodes,
        backings: backings.map(({ node, ...units }) => ({
          ...newBacking(1, node, units),
          pin: pins.includes(node) && units.held + units.confirmed > 0 ? pin : null,
        })),
      }),
    );
    const all = reservations.flatMap(({ backings }) => backings);
    const rows = NODES.map((node, index) => {
      const own = all.filter((backing) => backing.node === node);
      const reserved = totalOf(own, 'held');
      const committed = totalOf(own, 'confirmed');
      const shortfall = Math.min(short[index]!, reserved + committed);
      return row({ node, reserved, committed, shortfall, available: shortfall > 0 ? 0 : free[index]! });
    });
    const channels = [
      sellingChannel(),
      sellingChannel({ key: 2, code: 'POS', nodes: served ? new Set(served) : 'all' }),
    ];
    const rules = new SellingRules(
      NODES.map((key) => sellingNode(key)),
      channels,
      thresholds.map(threshold),
    );
    return { supplies: suppliesOf(supplyOf(1, rows)), reservations, rules };
  });

const sumOver = (supplies: Supplies, units: (r: SupplyRow) => number): number =>
  supplies.get(1)!.rows.reduce((sum, r) => sum + units(r), 0);

/** Every row is sound, has as many promised units as the backings say, and has no unit more or less on hand. */
function expectSound(before: Supplies, after: Supplies, reservations: readonly Reservation[]): void {
  for (const changed of after.get(1)!.rows) {
    expect(rowFault(changed)).toBeNull();
    expect(onHand(changed)).toBe(onHand(rowAt(before.get(1)!, changed.node)));
    const own = reservations.flatMap(({ backings }) => backings).filter(({ node }) => node === changed.node);
    expect([changed.reserved, changed.committed]).toEqual([totalOf(own, 'held'), totalOf(own, 'confirmed')]);
  }
  for (const state of ['reserved', 'committed'] as const)
    expect(sumOver(after, (r) => r[state])).toBe(sumOver(before, (r) => r[state]));
}

describe('laws of re-back', () => {
  const moves = fc.array(
    fc.record({
      sku: fc.constant(1),
      from: fc.constantFrom(...NODES),
      to: fc.constantFrom(...NODES),
      quantity: fc.integer({ min: 1, max: 4 }),
      unpin: fc.boolean(),
    }),
    { minLength: 1, maxLength: 3 },
  );

  it('keeps the sum of promised units, and nothing changes when it is refused', () => {
    fc.assert(
      fc.property(
        world,
        moves,
        fc.option(fc.constant(pin), { nil: null }),
        ({ supplies, reservations, rules }, some, newPin) => {
          const [mine, ...others] = reservations;
          fc.pre(mine !== undefined);
          const copy = structuredClone([[...supplies], mine]);
          const request = { expectedVersion: mine.version, moves: some, pin: newPin, now: NOW };
          const decision = decideReback(mine, supplies, rules, request);
          expect([[...supplies], mine]).toEqual(copy);
          if (!decision.ok) return;
          const { reservation: after, effect } = decision.value;
          expectSound(supplies, new Map([...supplies, ...effect.supplies]), [after, ...others]);
          for (const changed of (effect.supplies.get(1) ?? supplies.get(1)!).rows) {
            const own = effect.postings.filter(({ node }) => node === changed.node);
            expect(applyTransfers(rowAt(supplies.get(1)!, changed.node), own)).toEqual(changed);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('pins and unpins in place without moving a unit', () => {
    fc.assert(
      fc.property(world, fc.boolean(), ({ supplies, reservations, rules }, pins) => {
        const [mine] = reservations;
        const backing = mine?.backings.find(({ held, confirmed, pin }) => held + confirmed > 0 && pin === null);
        fc.pre(mine !== undefined && backing !== undefined);
        const { sku, node } = backing;
        const pin = pins ? { fulfilmentId: 'ful_1', orderVersion: 1 } : null;
        const inPlace = { sku, from: node, to: node, quantity: 1, unpin: !pins };
        const decision = decideReback(mine, supplies, rules, {
          expectedVersion: mine.version,
          moves: [inPlace],
          pin,
          now: NOW,
        });
        expect(decision.ok).toBe(true);
        if (!decision.ok) return;
        expect(decision.value.effect.postings).toEqual([]);
        const after = decision.value.reservation.backings.find((one) => one.sku === sku && one.node === node);
        expect(after).toEqual({ ...backing, pin });
      }),
    );
  });

  it('moves pinned units only with leave, and only to where the reservation may be backed', () => {
    fc.assert(
      fc.property(world, moves, ({ supplies, reservations, rules }, some) => {
        const [mine] = reservations;
        fc.pre(mine !== undefined);
        const request = { expectedVersion: mine.version, moves: some, pin: null, now: NOW };
        const decision = decideReback(mine, supplies, rules, request);
        if (!decision.ok) return;
        const channel = rules.channels.get(mine.channel)!;
        for (const [index, { sku, from, to, unpin }] of some.entries()) {
          // A pin may have fallen by a move before: one in place takes it away, and it goes with the last unit.
          const before = decideReback(mine, supplies, rules, { ...request, moves: some.slice(0, index) });
          expect(before.ok).toBe(true);
          const backings = before.ok ? before.value.reservation.backings : [];
          if (backings.find((one) => one.sku === sku && one.node === from)?.pin) expect(unpin).toBe(true);
          if (from === to) continue;
          expect(mine.nodes?.includes(to) ?? true).toBe(true);
          expect(rules.isEligible(channel, to, NOW)).toBe(true);
        }
      }),
      { numRuns: 250 },
    );
  });
});

const healed = (reservations: readonly Reservation[], { effects }: Healing): readonly Reservation[] =>
  reservations.map((one) => effects.find(({ reservation: { key } }) => key === one.key)?.reservation ?? one);

describe('healing a shortfall', () => {
  const two = [
    reservation({ key: 1, backings: [newBacking(1, 1, { held: 2 })] }),
    reservation({ key: 2, backings: [newBacking(1, 1, { confirmed: 2 })] }),
  ];
  const heal = (supplies: Supplies, candidates: readonly Reservation[], rules = openRules()) =>
    healShortfall(1, candidates, supplies, rules, NOW);

  it('moves no more than the shortfall, and the first candidates first', () => {
    const found = heal(book({ reserved: 2, committed: 2, shortfall: 3 }, { available: 9 }), two);
    expect(found.effects.map(({ reservation: { key }, changes }) => [key, changes])).toEqual([
      [1, [{ sku: 1, node: 1, quantity: 2, to: 2 }]],
      [2, [{ sku: 1, node: 1, quantity: 1, to: 2 }]],
    ]);
    expect(found.broken).toEqual([]);
  });

  it('calls broken what no eligible node can cover', () => {
    const found = heal(book({ reserved: 2, committed: 2, shortfall: 3 }, { available: 1 }), two);
    expect(found.broken).toEqual([{ node: 1, quantity: 2 }]);
  });

  it('lets others move in the place of pinned units', () => {
    const [first, second] = two;
    const pinned = { ...first!, backings: first!.backings.map((backing) => ({ ...backing, pin })) };
    const found = heal(book({ reserved: 2, committed: 2, shortfall: 3 }, { available: 9 }), [pinned, second!]);
    expect(found.effects.map(({ reservation: { key } }) => key)).toEqual([2]);
    expect(found.broken).toEqual([{ node: 1, quantity: 1 }]);
  });

  it('never takes hidden units', () => {
    const supplies = book({ reserved: 2, committed: 2, shortfall: 3 }, { available: 4 });
    expect(heal(supplies, two, openRules([threshold({ quantity: 3 })])).broken).toEqual([{ node: 1, quantity: 2 }]);
    const network = threshold({ scope: 'network', quantity: 3 });
    expect(heal(supplies, two, openRules([network])).broken).toEqual([{ node: 1, quantity: 2 }]);
  });

  it('has nothing to do for a SKU that nobody locked', () => {
    expect(healShortfall(9, [], new Map(), openRules(), NOW)).toEqual({ effects: [], supplies: new Map(), broken: [] });
  });

  it('moves promises where its policy says, and leaves broken what it refuses to move', () => {
    const short = book({ committed: 3, shortfall: 3 }, { available: 9 }, { available: 2 });
    const promise = reservation({ backings: [newBacking(1, 1, { confirmed: 3 })] });
    const { effects, broken } = healShortfall(1, [promise], short, openRules(), NOW, policyOf([notAt(2), lowestKey]));
    expect(effects.flatMap(({ changes }) => changes)).toEqual([{ sku: 1, node: 1, quantity: 2, to: 3 }]);
    expect(broken).toEqual([{ node: 1, quantity: 1 }]);
  });

  it('leaves nothing movable: each movable promise is covered, or its channel has no ATP for it', () => {
    fc.assert(
      fc.property(world, ({ supplies, reservations, rules }) => {
        const found = heal(supplies, reservations, rules);
        const after = found.supplies.get(1)!;
        for (const one of healed(reservations, found)) {
          const nodes = one.nodes && new Set(one.nodes);
          const { atp } = channelAtp(after, rules, fromAll({ channel: rules.channels.get(one.channel)!, nodes }));
          for (const backing of one.backings) {
            if (backing.pin || backing.held + backing.confirmed === 0) continue;
            expect(Math.min(rowAt(after, backing.node).shortfall, atp)).toBe(0);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it('keeps every promise, moves pinned units never, and moves nothing that was covered', () => {
    fc.assert(
      fc.property(world, ({ supplies, reservations, rules }) => {
        const found = heal(supplies, reservations, rules);
        const now = healed(reservations, found);
        expectSound(supplies, found.supplies, now);
        for (const [index, one] of reservations.entries()) {
          for (const backing of one.backings.filter((candidate) => candidate.pin)) {
            const there = now[index]!.backings.find(({ node }) => node === backing.node)!;
            expect(there.held + there.confirmed).toBeGreaterThanOrEqual(backing.held + backing.confirmed);
          }
        }
        const moved = found.effects.flatMap(({ changes }) => changes).reduce((sum, { quantity }) => sum + quantity, 0);
        const short = (all: Supplies) => sumOver(all, ({ shortfall }) => shortfall);
        expect(short(supplies) - short(found.supplies)).toBe(moved);
        expect(found.broken.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(short(found.supplies));
      }),
      { numRuns: 400 },
    );
  });

  it('changes nothing more the second time', () => {
    fc.assert(
      fc.property(world, ({ supplies, reservations, rules }) => {
        const first = heal(supplies, reservations, rules);
        const second = heal(first.supplies, healed(reservations, first), rules);
        expect(second.effects).toEqual([]);
        expect(second.broken).toEqual(first.broken);
      }),
      { numRuns: 250 },
    );
  });
});
