import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type SellingChannel, SellingRules } from './selling-rules.ts';
import { type Override, Settlement, type Terms, type UnitsGiven, type UnitsTaken } from './settlement.ts';
import { SupplyDraft, type Supplies, rowAt } from './supply.ts';
import { stockAt } from './supply-row.ts';
import {
  NOW,
  WEB,
  fence,
  fromAll,
  limitedRules,
  openRules,
  sellingChannel,
  sellingNode,
  threshold,
} from './testing/arbitraries.ts';
import { channelAtp } from './atp.ts';
import { NODES, backing, bookOf, reserved } from './testing/reserved.ts';

const terms = (rules: SellingRules = openRules(), override: Override | null = null): Terms => ({
  rules,
  now: NOW,
  override,
});
const POS = sellingChannel({ key: 2, code: 'POS' });
const TEL = sellingChannel({ key: 3, code: 'TEL' });
const held = (units: number) => ({ held: units, confirmed: 0 });
const given = (node: number, units: number, over: Partial<UnitsGiven> = {}): UnitsGiven => ({
  sku: 1,
  at: stockAt(node),
  units: held(units),
  channel: WEB,
  ...over,
});
const taken = (node: number, units: number, over: Partial<UnitsTaken> = {}): UnitsTaken => ({
  sku: 1,
  at: stockAt(node),
  units: held(units),
  channel: WEB,
  line: 0,
  ...over,
});

/** Settles gives and takes over nodes with that many units promised, and that many free. */
function settle(
  { gives = [], takes = [] }: { readonly gives?: readonly UnitsGiven[]; readonly takes?: readonly UnitsTaken[] },
  supplies: Supplies,
  given = terms(),
) {
  const settlement = new Settlement();
  for (const one of takes) settlement.take(one);
  for (const one of gives) settlement.give(one);
  const draft = new SupplyDraft(supplies);
  const decision = settlement.settle(draft, given, []);
  return decision.ok ? { effect: draft.effect(), row: (node: number) => rowAt(draft.supply(1), node) } : decision;
}
const book = (promised: number, free: Readonly<Record<number, number>> = {}): Supplies =>
  bookOf([reserved(NODES.map((node, line) => backing(node, { held: promised, line })))], {
    1: Object.fromEntries(Object.entries(free).map(([node, available]) => [node, { available }])),
  });
const short = (requested: number, atp: number, over: object = {}): object => ({
  ok: false,
  rejection: { code: 'stock.insufficient', shortages: [{ line: 0, sku: 1, requested, atp, ...over }] },
});

describe('settling', () => {
  it('writes nothing where as much is given as taken', () => {
    const both = { gives: [given(1, 2)], takes: [taken(1, 1), taken(1, 1)] };
    expect(settle(both, book(2), terms(openRules([threshold({ quantity: 9 })])))).toMatchObject({
      effect: { supplies: new Map(), postings: [] },
    });
  });

  it('writes only the net', () => {
    const both = { gives: [given(1, 5)], takes: [taken(1, 3)] };
    expect(settle(both, book(5))).toMatchObject({
      effect: { postings: [{ from: 'reserved', to: 'available', quantity: 2, sku: 1, at: stockAt(1) }] },
    });
  });

  it('names the line and the part that are short, and by how much', () => {
    const takes = [taken(1, 2, { line: 4, part: 0 }), taken(1, 3, { line: 2, part: 7 })];
    expect(settle({ takes }, book(0, { 1: 4 }))).toEqual({
      ok: false,
      rejection: { code: 'stock.insufficient', shortages: [{ line: 2, sku: 1, requested: 3, atp: 2 }], part: 7 },
    });
  });

  /** Web and phone each have a fence; what they and the shop take together at node 1, where eight units are free. */
  const ofEach = limitedRules({
    fences: [fence({ quantity: 5 }), fence({ key: 2, channels: new Set([TEL.key]), quantity: 3 })],
  });
  it.each<[string, readonly (readonly [SellingChannel, number])[], readonly number[], object | null]>([
    [
      'each its own fence',
      [
        [WEB, 5],
        [TEL, 3],
      ],
      [8],
      null,
    ],
    [
      'each its own fence, told the other way round',
      [
        [TEL, 3],
        [WEB, 5],
      ],
      [8],
      null,
    ],
    [
      'what is in the other’s fence',
      [
        [WEB, 5],
        [TEL, 4],
      ],
      [8],
      short(4, 3),
    ],
    [
      'what is common, beside one’s own',
      [
        [WEB, 6],
        [TEL, 3],
        [POS, 1],
      ],
      [10],
      null,
    ],
    [
      'what is common twice',
      [
        [WEB, 6],
        [TEL, 4],
        [POS, 1],
      ],
      [10],
      short(6, 5),
    ],
    ['what is fenced for others', [[POS, 1]], [8], short(1, 0)],
  ])('lets channels take together: %s', (_, takes, [free = 0], refusal) => {
    const together = takes.map(([channel, units]) => taken(1, units, { channel }));
    const found = settle({ takes: together }, book(0, { 1: free }), terms(ofEach));
    if (refusal) expect(found).toEqual(refusal);
    else expect(found).toHaveProperty('effect');
  });

  it('lets a channel take no more by several moves than by one, where others keep a share of what is left', () => {
    const rules = terms(limitedRules({ fences: [fence({ measure: 'percent', quantity: 60 })] }));
    const free = book(1, { 1: 2 });
    const shop = (units: number, line = 0): UnitsTaken => taken(1, units, { channel: POS, line });
    expect(settle({ takes: [shop(2)] }, free, rules)).toEqual(short(2, 1));
    expect(settle({ takes: [shop(1), shop(1, 1)] }, free, rules)).toEqual(short(1, 0, { line: 1 }));
    expect(settle({ takes: [shop(1), shop(1, 1)], gives: [given(1, 1)] }, free, rules)).toHaveProperty('effect');
  });

  it('counts what a channel hides as a whole once, over all its nodes', () => {
    const rules = terms(openRules([threshold({ scope: 'network', channel: 1, quantity: 3 })]));
    const free = book(1, { 1: 2, 2: 2 });
    expect(settle({ takes: [taken(1, 1)] }, free, rules)).toHaveProperty('effect');
    expect(settle({ takes: [taken(1, 1), taken(2, 1)] }, free, rules)).toEqual(short(2, 1));
    expect(settle({ takes: [taken(1, 2, { channel: POS })] }, free, rules)).toHaveProperty('effect');
    expect(settle({ takes: [taken(1, 2)], gives: [given(3, 1)] }, free, rules)).toHaveProperty('effect');
    expect(settle({ takes: [taken(1, 2)], gives: [given(3, 1, { channel: POS })] }, free, rules)).toHaveProperty(
      'effect',
    );
  });

  it('names whoever took last of what a channel hides as a whole', () => {
    const settlement = new Settlement();
    settlement.give(given(3, 1));
    settlement.take(taken(1, 1, { line: 3, part: 1 }));
    settlement.take(taken(2, 1, { line: 5, part: 2 }));
    settlement.give(given(4, 1));
    settlement.take(taken(2, 1, { line: 4, part: 3 }));
    const rules = openRules([threshold({ scope: 'network', quantity: 3 })]);
    expect(settlement.settle(new SupplyDraft(book(1, { 1: 1, 2: 2 })), terms(rules), [])).toMatchObject({
      ok: false,
      rejection: { part: 3, shortages: [{ line: 4, requested: 1, atp: 0 }] },
    });
  });

  it('does not count what another channel gives, nor what was only to come, for a channel that takes', () => {
    const rules = terms(openRules([threshold({ scope: 'network', channel: 1, quantity: 4 })], WEB));
    const later = reserved([backing(1, { kind: 'incoming', detail: 5, held: 1 })]);
    const free = bookOf([later], { 1: { 2: { available: 4 } } });
    const gives = [given(1, 1, { at: { kind: 'incoming', node: 1, detail: 5 } })];
    expect(settle({ takes: [taken(2, 1)], gives }, free, rules)).toEqual(short(1, 0));
    const till = { takes: [taken(2, 1)], gives: [given(1, 1, { channel: POS })] };
    const closed = new SellingRules([sellingNode(2)], [WEB], [threshold({ scope: 'network', quantity: 4 })]);
    expect(settle(till, book(1, { 2: 4 }), terms(closed))).toEqual(short(1, 0));
  });

  it('looks at what is free only, where somebody has overridden the rest', () => {
    const rules = openRules([threshold({ quantity: 9 }), threshold({ scope: 'network', quantity: 9 })]);
    for (const override of ['sold', 'by_hand'] as const) {
      expect(settle({ takes: [taken(1, 2)] }, book(0, { 1: 2 }), terms(rules, override))).toHaveProperty('effect');
      expect(settle({ takes: [taken(1, 3)] }, book(0, { 1: 2 }), terms(rules, override))).toEqual(short(3, 2));
    }
  });

  const channels = [WEB, POS, TEL] as const;
  const some = fc.record({
    free: fc.nat(6),
    hidden: fc.tuple(fc.nat(6), fc.nat(6), fc.nat(6)),
    gives: fc.array(fc.nat(3), { maxLength: 3 }),
    takes: fc.array(fc.record({ by: fc.nat(2), units: fc.nat(3) }), { maxLength: 4 }),
  });
  const rulesOf = (hidden: readonly number[]): Terms =>
    terms(
      new SellingRules(
        [sellingNode(1)],
        channels,
        hidden.map((quantity, index) => threshold({ channel: index + 1, quantity })),
      ),
    );

  it('accepts if and only if those who may take few do not want more than these and what is given', () => {
    fc.assert(
      fc.property(some, ({ free, hidden, gives, takes }) => {
        const takers = takes.map(({ by, units }) => taken(1, units, { channel: channels[by]! }));
        const decision = settle(
          { gives: gives.map((units) => given(1, units)), takes: takers },
          book(9, { 1: free }),
          rulesOf(hidden),
        );
        const sum = (units: readonly number[]): number => units.reduce((total, one) => total + one, 0);
        const atp = (by: number): number => Math.max(0, free - hidden[by]!);
        const isServed = takes.every(({ by }) => {
          const atMost = takes.filter((other) => atp(other.by) <= atp(by));
          return sum(atMost.map(({ units }) => units)) <= sum(gives) + atp(by);
        });
        const isNeeded = sum(takes.map(({ units }) => units)) > sum(gives);
        expect('effect' in decision).toBe(!isNeeded || isServed);
      }),
      { numRuns: 1000 },
    );
  });

  it('has room for one channel exactly where it may take', () => {
    fc.assert(
      fc.property(some, fc.boolean(), ({ free, hidden, gives, takes }, isOverridden) => {
        const settlement = new Settlement();
        const rules = { ...rulesOf(hidden), override: isOverridden ? ('sold' as const) : null };
        const supplies = book(9, { 1: free });
        for (const units of gives) settlement.give(given(1, units));
        for (const { units } of takes) settlement.take(taken(1, units));
        const [room] = settlement.room(supplies.get(1)!, WEB, [1], rules);
        const attempt = (units: number): boolean => {
          const draft = new SupplyDraft(supplies);
          settlement.take(taken(1, units));
          const { ok } = settlement.settle(draft, rules, []);
          settlement.give(given(1, units));
          return ok;
        };
        if (room) expect(attempt(room.atp)).toBe(true);
        expect(attempt((room?.atp ?? 0) + 1)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('has room where a channel has ATP, as long as nothing has been given or taken', () => {
    const rules = terms(
      openRules([threshold({ node: 2, quantity: 1 })], sellingChannel({ nodes: new Set([1, 2, 3]) })),
    );
    const channel = rules.rules.channels.get(1)!;
    const supply = book(1, { 1: 2, 2: 1, 3: 4, 4: 5 }).get(1)!;
    const room = (nodes: readonly number[] | null) => new Settlement().room(supply, channel, nodes, rules);
    expect(room(null)).toEqual(channelAtp(supply, rules.rules, fromAll({ channel })).nodes);
    expect(room([3, 4])).toEqual([{ node: 3, atp: 4 }]);
    expect(new Settlement().room(supply, channel, [3, 4], { ...rules, override: 'sold' })).toEqual([
      { node: 3, atp: 4 },
      { node: 4, atp: 5 },
    ]);
  });
});
