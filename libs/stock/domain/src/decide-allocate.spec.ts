import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AllocationEffect, type AllocationMove, type AllocationPart, decideAllocate } from './decide-allocate.ts';
import type { NodeKey } from './keys.ts';
import type { Decision } from './rejection.ts';
import { type Reservation, open } from './reservation.ts';
import { SellingRules } from './selling-rules.ts';
import type { Override, Terms } from './settlement.ts';
import { type Supplies, rowAt, suppliesAfter } from './supply.ts';
import { NOW, openRules, sellingChannel, sellingNode, threshold } from './testing/arbitraries.ts';
import {
  NODES,
  backing,
  bookOf,
  expectLawful,
  lineId,
  openOf,
  reserved,
  reservedWorld,
  standing,
  tallied,
  unbacked,
} from './testing/reserved.ts';

const terms = (rules: SellingRules = openRules(), override: Override | null = null): Terms => ({
  rules,
  now: NOW,
  override,
});
/** From a node, null for no row, to a node; a fulfilment is written behind it. */
const move = (
  [from, named]: readonly [NodeKey | null, string?],
  [node, fulfilment]: readonly [NodeKey, string?],
  quantity: number,
  over: Partial<AllocationMove['from']> = {},
): AllocationMove => ({
  from: { node: from, fulfilment: named ?? null, quantity, ...over },
  to: { node, fulfilment: fulfilment ?? null },
});
const part = (reservation: Reservation, ...moves: readonly AllocationMove[]): AllocationPart => ({
  reservation,
  expectedVersion: 7,
  moves,
});
const after = (decision: Decision<AllocationEffect>): readonly Reservation[] => {
  if (!decision.ok) throw new Error(`refused: ${JSON.stringify(decision.rejection)}`);
  return decision.value.effects.map(({ reservation }) => reservation);
};
const stands = (decision: Decision<AllocationEffect>): unknown => after(decision).map(standing);
const rejectionOf = (decision: Decision<AllocationEffect>): unknown => (decision.ok ? 'accepted' : decision.rejection);
const postingsOf = (decision: Decision<AllocationEffect>): unknown =>
  decision.ok && decision.value.effects.flatMap(({ effect }) => effect.postings);
const short = (requested: number, atp: number, where: object, line = 0): object => ({
  code: 'stock.insufficient',
  shortages: [{ line, sku: 1, requested, atp }],
  ...where,
});

/** One order for each node given, with units confirmed there. */
const orders = (nodes: readonly NodeKey[], quantity = 1): readonly Reservation[] =>
  nodes.map((node, index) => reserved([backing(node, { confirmed: quantity })], { key: index + 1 }));
const hidesAll = openRules([threshold({ quantity: 99 }), threshold({ scope: 'network', quantity: 99 })]);

describe('moves judged by their net effect', () => {
  it.each<[string, readonly NodeKey[], readonly NodeKey[]]>([
    ['two orders swap nodes', [1, 2], [2, 1]],
    ['three orders at three nodes go round', [1, 2, 3], [2, 3, 1]],
    ['four orders change places', [1, 2, 3, 4], [3, 4, 2, 1]],
  ])('%s with nothing free, whatever thresholds hide', (_, from, to) => {
    const all = orders(from, 2);
    const parts = all.map((one, index) => part(one, move([from[index]!], [to[index]!], 2)));
    const decision = decideAllocate(parts, bookOf(all), terms(hidesAll));
    expect(stands(decision)).toEqual(to.map((node) => ({ [`a@${node}`]: { confirmed: 2 } })));
    expect(postingsOf(decision)).toEqual([]);
  });

  it('two lines of one reservation swap nodes, in whichever order their moves are told', () => {
    const one = reserved([backing(1, { held: 1 }), backing(2, { held: 1, line: 1 })]);
    const moves = [move([1], [2], 1, { line: 'a' }), move([2], [1], 1, { line: 'b' })];
    for (const told of [moves, moves.toReversed()])
      expect(stands(decideAllocate([part(one, ...told)], bookOf([one]), terms()))).toEqual([
        { 'a@2': { held: 1 }, 'b@1': { held: 1 } },
      ]);
  });

  it('a row that gives as much as it takes needs no ATP; one unit more does', () => {
    const [first, second] = orders([1, 2], 2) as [Reservation, Reservation];
    const supplies = bookOf([first, second], { 1: { 1: { available: 3 }, 2: { available: 3 } } });
    const rules = terms(openRules([threshold({ quantity: 3 })]));
    const decide = (there: number, back: number) =>
      decideAllocate([part(first, move([1], [2], there)), part(second, move([2], [1], back))], supplies, rules);
    expect(decide(2, 2).ok).toBe(true);
    expect(rejectionOf(decide(2, 1))).toEqual(short(2, 1, { part: 0 }));
    expect(rejectionOf(decide(1, 2))).toEqual(short(2, 1, { part: 1 }));
  });

  it('a swap on a short row leaves it as short as it was', () => {
    const all = orders([1, 2]);
    const supplies = bookOf(all, { 1: { 1: { shortfall: 1 } } });
    const decision = decideAllocate(
      [part(all[0]!, move([1], [2], 1)), part(all[1]!, move([2], [1], 1))],
      supplies,
      terms(),
    );
    expect(stands(decision)).toEqual([{ 'a@2': { confirmed: 1 } }, { 'a@1': { confirmed: 1 } }]);
    expect(postingsOf(decision)).toEqual([]);
  });

  it('a swap of held units and confirmed ones posts one as the other, and heals nothing', () => {
    const held = reserved([backing(2, { held: 1 })], { key: 2 });
    const [confirmed] = orders([1]) as [Reservation];
    const supplies = bookOf([confirmed, held], { 1: { 1: { shortfall: 1 } } });
    const parts = [part(confirmed, move([1], [2], 1)), part(held, move([2], [1], 1))];
    const decision = decideAllocate(parts, supplies, terms());
    expect(postingsOf(decision)).toMatchObject([
      { at: { node: 1 }, from: 'committed', to: 'reserved', quantity: 1 },
      { at: { node: 2 }, from: 'reserved', to: 'committed', quantity: 1 },
    ]);
    expectLawful(supplies, (decision as { value: AllocationEffect }).value.effects[0]!.effect, after(decision));
  });

  it('units that leave a short row heal it before they are available', () => {
    const [one] = orders([1], 3) as [Reservation];
    const supplies = bookOf([one], { 1: { 1: { shortfall: 2 }, 2: { available: 3 } } });
    const decision = decideAllocate([part(one, move([1], [2], 3))], supplies, terms());
    const rows = decision.ok && decision.value.effects[0]!.effect.supplies.get(1)!;
    expect(rows && rowAt(rows, 1)).toMatchObject({ shortfall: 0, available: 1, committed: 0 });
    expect(rows && rowAt(rows, 2)).toMatchObject({ available: 0, committed: 3 });
  });

  it('what is given up serves those first who may take the fewest, and the rest needs ATP of its own', () => {
    const pos = sellingChannel({ key: 2, code: 'POS' });
    const rules = terms(
      new SellingRules(
        NODES.map((key) => sellingNode(key)),
        [sellingChannel(), pos],
        [threshold({ channel: 2, node: 1, quantity: 9 })],
      ),
    );
    const leaves = reserved([backing(1, { held: 1 })]);
    const web = reserved([backing(3, { held: 1 })], { key: 2 });
    const till = reserved([backing(4, { held: 2 })], { key: 3, channel: 2 });
    const supplies = bookOf([leaves, web, till], { 1: { 1: { available: 1 }, 2: { available: 1 } } });
    const decide = (tills: number) =>
      decideAllocate(
        [part(leaves, move([1], [2], 1)), part(web, move([3], [1], 1)), part(till, move([4], [1], tills))],
        supplies,
        rules,
      );
    expect(decide(1).ok).toBe(true);
    expect(rejectionOf(decide(2))).toEqual(short(2, 1, { part: 2 }));
  });
});

describe('moves to where units are', () => {
  const mine = reserved([backing(1, { confirmed: 3, held: 1 })]);
  const start = bookOf([mine], { 1: { 2: { available: 5 }, 3: {} } });
  const allocate = (moves: readonly AllocationMove[], of: Reservation = mine, given: Terms = terms()) =>
    decideAllocate([part(of, ...moves)], start, given);

  it('moves confirmed units as confirmed, and held ones as held', () => {
    const decision = allocate([move([1], [2], 4)]);
    expect(stands(decision)).toEqual([{ 'a@2': { held: 1, confirmed: 3 } }]);
    expect(after(decision)[0]!.version).toBe(8);
    expect(decision.ok && decision.value.effects[0]!.changes).toEqual([
      { line: 0, sku: 1, node: 1, quantity: 4, fulfilment: null, to: { node: 2, fulfilment: null } },
    ]);
    expect(decision.ok && rowAt(decision.value.effects[0]!.effect.supplies.get(1)!, 2)).toMatchObject({
      available: 1,
      committed: 3,
      reserved: 1,
    });
  });

  it('moves confirmed units first when it moves a part', () =>
    expect(stands(allocate([move([1], [2], 2)]))).toEqual([
      { 'a@1': { held: 1, confirmed: 1 }, 'a@2': { confirmed: 2 } },
    ]));

  it('moves what an earlier move has brought', () =>
    expect(stands(allocate([move([1], [3], 4), move([3], [2], 4)]))).toEqual([{ 'a@2': { held: 1, confirmed: 3 } }]));

  it.each([6, 8])('is refused when it was decided on another version than 7: %i', (expectedVersion) => {
    const other = reserved([backing(2, { held: 1 })], { key: 2 });
    const parts = [part(other), { reservation: mine, expectedVersion, moves: [] }];
    expect(rejectionOf(decideAllocate(parts, start, terms()))).toEqual({
      code: 'reservation.conflict',
      part: 1,
      version: 7,
    });
  });

  const missing = (there: number, at: object, where: object = { move: 0 }): object => ({
    code: 'reservation.units_missing',
    at,
    there,
    part: 0,
    ...where,
  });
  it.each<[string, readonly AllocationMove[], object]>([
    ['more than there is', [move([1], [2], 5)], missing(4, { node: 1, fulfilment: null })],
    ['what stands elsewhere', [move([3], [2], 1)], missing(0, { node: 3, fulfilment: null })],
    ['what is backed as if it were not', [move([null], [2], 1)], missing(0, { node: null, fulfilment: null })],
    ['units of another line', [move([1], [2], 1, { line: 'b' })], missing(0, { line: 'b', node: 1, fulfilment: null })],
    ['units of another fulfilment', [move([1, 'F'], [2], 1)], missing(0, { node: 1, fulfilment: 'F' })],
    [
      'the same units twice',
      [move([1], [2], 3), move([1], [2], 2)],
      missing(1, { node: 1, fulfilment: null }, { move: 1 }),
    ],
    ['to a node without units', [move([1], [3], 1)], short(1, 0, { part: 0 })],
    ['to a node that the rules do not know', [move([1], [9], 1)], short(1, 0, { part: 0, move: 0 })],
    ['all when one move cannot be', [move([1], [2], 1), move([1], [3], 1)], short(1, 0, { part: 0 })],
  ])('refuses to move %s', (_, moves, rejection) => expect(rejectionOf(allocate(moves))).toEqual(rejection));

  it('keeps each line at the nodes that its buyer chose, and the others where they may be', () => {
    const pickup = reserved([backing(1, { held: 1 }), backing(1, { held: 1, line: 1 })], {}, { 0: [1, 3] });
    const supplies = bookOf([pickup], { 1: { 2: { available: 5 } } });
    const decide = (line: string) => decideAllocate([part(pickup, move([1], [2], 1, { line }))], supplies, terms());
    expect(rejectionOf(decide('a'))).toEqual(short(1, 0, { part: 0, move: 0 }));
    expect(decide('b').ok).toBe(true);
  });

  it('never takes units that a threshold hides at the destination', () => {
    const rules = terms(openRules([threshold({ node: 2, quantity: 3 })]));
    expect(allocate([move([1], [2], 2)], mine, rules).ok).toBe(true);
    expect(rejectionOf(allocate([move([1], [2], 3)], mine, rules))).toEqual(short(3, 2, { part: 0 }));
  });

  it('goes nowhere for a channel that is gone', () =>
    expect(rejectionOf(allocate([move([1], [2], 1)], { ...mine, channel: 99 }))).toEqual(
      short(1, 0, { part: 0, move: 0 }),
    ));

  it('does not write a row that gives and takes the same', () => {
    const all = orders([1, 2]);
    const decision = decideAllocate(
      [part(all[0]!, move([1], [2], 1)), part(all[1]!, move([2], [1], 1))],
      bookOf(all),
      terms(),
    );
    expect(decision.ok && decision.value.effects[0]!.effect.supplies.size).toBe(0);
  });

  it('has one part for each reservation', () =>
    expect(() => decideAllocate([part(mine), part(mine)], start, terms())).toThrow('two parts'));

  it('has nothing to say to nothing', () =>
    expect(decideAllocate([], start, terms())).toEqual({ ok: true, value: { effects: [] } }));
});

describe('units that stand on no row, or on none yet', () => {
  const waiting = reserved([unbacked({ confirmed: 2 }), backing(3, { confirmed: 1 })]);
  const supplies = bookOf([waiting], { 1: { 2: { available: 2 } } });
  const decide = (
    moves: readonly AllocationMove[],
    rules: SellingRules = openRules(),
    override: Override | null = null,
  ) => decideAllocate([part(waiting, ...moves)], supplies, terms(rules, override));

  it('need ATP like a hold', () => {
    expect(stands(decide([move([null], [2], 2)]))).toEqual([{ 'a@2': { confirmed: 2 }, 'a@3': { confirmed: 1 } }]);
    expect(rejectionOf(decide([move([null], [1], 1)]))).toEqual(short(1, 0, { part: 0 }));
    const hidden = openRules([threshold({ node: 2, quantity: 1 })]);
    expect(rejectionOf(decide([move([null], [2], 2)], hidden))).toEqual(short(2, 1, { part: 0 }));
  });

  it('may take what is given up in the same decision', () =>
    expect(stands(decide([move([3], [2], 1), move([null], [3], 1)]))).toEqual([
      { 'a@-': { confirmed: 1 }, 'a@2': { confirmed: 1 }, 'a@3': { confirmed: 1 } },
    ]));

  it('take nothing that the channel hides as a whole, which units that only move may', () => {
    const hidden = openRules([threshold({ scope: 'network', quantity: 1 })]);
    expect(decide([move([null], [2], 1)], hidden).ok).toBe(true);
    expect(rejectionOf(decide([move([null], [2], 2)], hidden))).toEqual(short(2, 1, { part: 0 }));
    expect(decide([move([3], [2], 1)], openRules([threshold({ scope: 'network', quantity: 9 })])).ok).toBe(true);
    expect(decide([move([null], [2], 2)], hidden, 'sold').ok).toBe(true);
  });

  it('leave what was to come to others, and of an allowance nothing', () => {
    const later = reserved([
      backing(1, { kind: 'incoming', detail: 5, held: 1 }),
      backing(0, { kind: 'allowance', confirmed: 1 }),
    ]);
    const before = bookOf([later], { 1: { 2: { available: 2 } } });
    const decision = decideAllocate([part(later, move([1], [2], 1), move([0], [2], 1))], before, terms());
    expect(stands(decision)).toEqual([{ 'a@2': { held: 1, confirmed: 1 } }]);
    expect(postingsOf(decision)).toEqual(
      expect.arrayContaining([
        { sku: 1, at: { kind: 'incoming', node: 1, detail: 5 }, from: 'reserved', to: 'available', quantity: 1 },
        { sku: 1, at: { kind: 'allowance', node: 0, detail: 0 }, from: 'committed', to: 'expected', quantity: 1 },
      ]),
    );
    expectLawful(before, (decision as { value: AllocationEffect }).value.effects[0]!.effect, after(decision));
  });
});

describe('fulfilments', () => {
  const worked = reserved([backing(1, { confirmed: 4, fulfilment: 'F', accepted: 3, picked: 2, shipped: 1 })]);
  const supplies = bookOf([worked], { 1: { 1: { available: 1 }, 2: { available: 9 } } });
  const decide = (moves: readonly AllocationMove[], rules: SellingRules = openRules(), of: Reservation = worked) =>
    decideAllocate([part(of, ...moves)], supplies, terms(rules));
  const stages = (decision: ReturnType<typeof decide>) =>
    after(decision)[0]!.backings.map(({ confirmed, accepted, picked, shipped }) => [
      confirmed,
      accepted,
      picked,
      shipped,
    ]);

  it('pin units: they move only where their fulfilment is named', () => {
    expect(rejectionOf(decide([move([1], [2], 1)]))).toMatchObject({ code: 'reservation.units_missing', there: 0 });
    expect(stands(decide([move([1, 'F'], [2, 'G'], 1)]))).toEqual([
      { 'a@1#F': { confirmed: 3 }, 'a@2#G': { confirmed: 1 } },
    ]);
  });

  it.each<[string, readonly [NodeKey, string?], number, readonly (readonly number[])[]]>([
    [
      'another one at the node, least advanced units first',
      [1, 'G'],
      2,
      [
        [2, 2, 2, 1],
        [2, 1, 0, 0],
      ],
    ],
    [
      'another one at the node, with all that it has',
      [1, 'G'],
      4,
      [
        [0, 0, 0, 0],
        [4, 3, 2, 1],
      ],
    ],
    [
      'none at the node',
      [1],
      4,
      [
        [0, 0, 0, 0],
        [4, 3, 2, 1],
      ],
    ],
    [
      'another node, which begins anew',
      [2, 'G'],
      2,
      [
        [2, 2, 2, 1],
        [2, 0, 0, 0],
      ],
    ],
    [
      'another node, as the same one',
      [2, 'F'],
      4,
      [
        [0, 0, 0, 0],
        [4, 0, 0, 0],
      ],
    ],
  ])('take along how far the node has come when they go to %s', (_, to, quantity, expected) =>
    expect(stages(decide([move([1, 'F'], to, quantity)]))).toEqual(expected),
  );

  it('may change at a node that sells nothing any more, since nothing is taken', () => {
    const decision = decide([move([1, 'F'], [1, 'G'], 4)], new SellingRules([], [], []));
    expect(stands(decision)).toEqual([{ 'a@1#G': { confirmed: 4 } }]);
    expect(postingsOf(decision)).toEqual([]);
    const elsewhere = reserved([backing(1, { confirmed: 2 })], {}, { 0: [3] });
    expect(stands(decide([move([1], [1, 'G'], 2)], hidesAll, elsewhere))).toEqual([{ 'a@1#G': { confirmed: 2 } }]);
  });

  it('do not lend their units to others who come to the node', () => {
    const pos = sellingChannel({ key: 2, code: 'POS' });
    const rules = new SellingRules(
      NODES.map((key) => sellingNode(key)),
      [sellingChannel(), pos],
      [threshold({ channel: 2, quantity: 9 })],
    );
    const till = reserved([backing(2, { held: 1 })], { key: 2, channel: 2 });
    const both = bookOf([worked, till], { 1: { 1: { available: 1 } } });
    const parts = [part(worked, move([1, 'F'], [1, 'G'], 4)), part(till, move([2], [1], 1))];
    expect(rejectionOf(decideAllocate(parts, both, terms(rules)))).toEqual(short(1, 0, { part: 1 }));
  });

  it('keep two lines of one SKU apart', () => {
    const two = reserved([backing(1, { confirmed: 1 }), backing(1, { confirmed: 1, line: 1 })]);
    const decision = decide([move([1], [1, 'F'], 2)], openRules(), two);
    expect(stands(decision)).toEqual([{ 'a@1#F': { confirmed: 1 }, 'b@1#F': { confirmed: 1 } }]);
  });
});

describe('moves by hand', () => {
  const bound = reserved([backing(1, { confirmed: 2 })], {}, { 0: [1] });
  const supplies = bookOf([bound], { 1: { 2: { available: 1, safetyStock: 5 }, 9: { available: 9 } } });
  const closed = new SellingRules(
    [sellingNode(1), sellingNode(2, { activeTo: NOW })],
    [sellingChannel()],
    [threshold({ quantity: 9 })],
  );
  it.each<[string, Override | null, NodeKey, number, object | null]>([
    ['not by themselves', null, 2, 1, short(1, 0, { part: 0, move: 0 })],
    ['by hand', 'by_hand', 2, 1, null],
    ['where they are sold already', 'sold', 2, 1, null],
    ['never beyond what is free there', 'by_hand', 2, 2, short(2, 1, { part: 0 })],
    ['never to a node that nobody knows', 'by_hand', 9, 1, short(1, 0, { part: 0, move: 0 })],
  ])('leave the nodes of the line, eligibility and thresholds aside: %s', (_, override, to, quantity, rejection) => {
    const decision = decideAllocate([part(bound, move([1], [to], quantity))], supplies, terms(closed, override));
    if (rejection) expect(rejectionOf(decision)).toEqual(rejection);
    else expect(stands(decision)).toEqual([{ 'a@1': { confirmed: 2 - quantity }, 'a@2': { confirmed: quantity } }]);
  });
});

const someMove: fc.Arbitrary<AllocationMove> = fc.record({
  from: fc.record(
    {
      line: fc.constantFrom(lineId(0), lineId(0), lineId(1), lineId(2)),
      node: fc.constantFrom(...NODES, null),
      fulfilment: fc.constantFrom(null, null, 'F', 'G'),
      quantity: fc.integer({ min: 1, max: 3 }),
    },
    { requiredKeys: ['fulfilment', 'quantity'] },
  ),
  to: fc.record({ node: fc.constantFrom(...NODES), fulfilment: fc.constantFrom(null, null, 'F', 'G') }),
});
const someMoves = fc.array(fc.array(someMove, { maxLength: 2 }), { minLength: 1, maxLength: 4 });
const someOverride = fc.constantFrom<Override | null>(null, null, null, 'by_hand');

/** Moves for some of the reservations of a world. */
const partsOf = (
  reservations: readonly Reservation[],
  moves: readonly (readonly AllocationMove[])[],
): readonly AllocationPart[] =>
  reservations.flatMap((one, index) => (moves[index] ? [part(one, ...moves[index])] : []));
const othersOf = (reservations: readonly Reservation[], parts: readonly AllocationPart[]): readonly Reservation[] =>
  reservations.filter(({ key }) => parts.every(({ reservation }) => reservation.key !== key));

describe('laws of allocating', () => {
  it('conserves the units of each line, and leaves a lawful book that promises what the reservations say', () => {
    let accepted = 0;
    fc.assert(
      fc.property(reservedWorld, someMoves, someOverride, ({ supplies, reservations, rules }, moves, override) => {
        const parts = partsOf(reservations, moves);
        const decision = decideAllocate(parts, supplies, terms(rules, override));
        if (!decision.ok) return;
        accepted++;
        const [first, ...rest] = decision.value.effects;
        const now = after(decision);
        expectLawful(supplies, first!.effect, [...now, ...othersOf(reservations, parts)]);
        expect(rest.every(({ effect }) => effect.postings.length === 0)).toBe(true);
        for (const [index, { reservation }] of parts.entries()) {
          const { lines, backings, ...others } = now[index]!;
          expect(lines).toBe(reservation.lines);
          expect(others).toEqual({ ...others, key: reservation.key, version: reservation.version + 1 });
          for (const { no } of lines) {
            expect(openOf(backings, no)).toEqual(openOf(reservation.backings, no));
            expect(tallied(backings, no)).toBe(tallied(reservation.backings, no));
          }
        }
      }),
      { numRuns: 500 },
    );
    expect(accepted).toBeGreaterThan(40);
  });

  it('changes nothing of what it was given', () => {
    fc.assert(
      fc.property(reservedWorld, someMoves, ({ supplies, reservations, rules }, moves) => {
        const copy = structuredClone([[...supplies], reservations]);
        decideAllocate(partsOf(reservations, moves), supplies, terms(rules));
        expect([[...supplies], reservations]).toEqual(copy);
      }),
    );
  });

  it('comes to the same in whichever order the reservations are told', () => {
    fc.assert(
      fc.property(reservedWorld, someMoves, ({ supplies, reservations, rules }, moves) => {
        const parts = partsOf(reservations, moves);
        const one = decideAllocate(parts, supplies, terms(rules));
        const other = decideAllocate(parts.toReversed(), supplies, terms(rules));
        expect(other.ok).toBe(one.ok);
        if (!one.ok) return;
        expect(after(other).toReversed()).toEqual(after(one));
        expect(rowsAfter(supplies, other)).toEqual(rowsAfter(supplies, one));
      }),
      { numRuns: 250 },
    );
  });

  it('lets any orders change places in any way where all is full', () => {
    const permutation = fc
      .integer({ min: 2, max: 4 })
      .chain((count) =>
        fc.record({
          nodes: fc.shuffledSubarray([...NODES], { minLength: count, maxLength: count }),
          quantity: fc.integer({ min: 1, max: 3 }),
          shorts: fc.array(fc.nat(3), { minLength: count, maxLength: count }),
          tallies: fc.array(fc.constantFrom('held', 'confirmed'), { minLength: count, maxLength: count }),
        }),
      )
      .chain((world) =>
        fc.record({
          world: fc.constant(world),
          to: fc.shuffledSubarray(world.nodes, { minLength: world.nodes.length }),
        }),
      );
    fc.assert(
      fc.property(permutation, ({ world: { nodes, quantity, shorts, tallies }, to }) => {
        const all = nodes.map((node, index) =>
          reserved([backing(node, { [tallies[index]!]: quantity })], { key: index + 1 }),
        );
        const short = nodes.map((node, index) => [node, { shortfall: Math.min(quantity, shorts[index]!) }]);
        const supplies = bookOf(all, { 1: Object.fromEntries(short) });
        const parts = all.map((one, index) => part(one, move([nodes[index]!], [to[index]!], quantity)));
        const decision = decideAllocate(parts, supplies, terms(hidesAll));
        expect(stands(decision)).toEqual(to.map((node, index) => ({ [`a@${node}`]: { [tallies[index]!]: quantity } })));
        expectLawful(supplies, (decision as { value: AllocationEffect }).value.effects[0]!.effect, after(decision));
      }),
    );
  });

  it('leaves pinned units alone unless their fulfilment is named, and brings units only where they may be', () => {
    fc.assert(
      fc.property(reservedWorld, someMoves, ({ supplies, reservations, rules }, moves) => {
        const parts = partsOf(reservations, moves);
        const decision = decideAllocate(parts, supplies, terms(rules));
        if (!decision.ok) return;
        for (const [index, { reservation, moves: told }] of parts.entries()) {
          const named = new Set(told.map(({ from }) => from.fulfilment));
          const now = after(decision)[index]!;
          const channel = rules.channels.get(reservation.channel)!;
          for (const one of now.backings) {
            const then = reservation.backings[one.no];
            if (then?.fulfilment && !named.has(then.fulfilment)) expect(open(one)).toBeGreaterThanOrEqual(open(then));
            const there = reservation.backings
              .filter(({ line, kind, node }) => line === one.line && kind === 'stock' && node === one.node)
              .reduce((sum, other) => sum + open(other), 0);
            if (one.kind !== 'stock' || open(one) <= there) continue;
            const chosen = reservation.lines[one.line]!.nodes;
            expect(chosen === null || chosen.includes(one.node)).toBe(true);
            expect(rules.isEligible(channel, one.node, NOW)).toBe(true);
          }
        }
      }),
      { numRuns: 400 },
    );
  });
});

const rowsAfter = (supplies: Supplies, decision: Decision<AllocationEffect>): unknown => {
  const all = decision.ok ? suppliesAfter(supplies, decision.value.effects[0]!.effect) : supplies;
  return [...all].map(([sku, { rows, future }]) => [
    sku,
    ...[rows, future].map((some) =>
      some.toSorted((a, b) => a.node - b.node).filter((row) => JSON.stringify({ ...row, node: 0 }).match(/[1-9]/)),
    ),
  ]);
};
