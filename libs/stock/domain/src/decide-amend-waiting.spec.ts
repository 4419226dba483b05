import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AmendedLine, type Amendment, decideAmend } from './decide-amend.ts';
import { decideHold } from './decide-hold.ts';
import type { VerbEffect } from './decide-verb.ts';
import type { InboundLine } from './inbound.ts';
import type { Decision, Rejection } from './rejection.ts';
import { type Reservation, open } from './reservation.ts';
import { SellingRules, type Threshold } from './selling-rules.ts';
import { type Supplies, noSupply, rowOf, suppliesAfter } from './supply.ts';
import { promised } from './supply-row.ts';
import { NOW, sellingChannel, sellingNode, threshold } from './testing/arbitraries.ts';
import { backing, expectLawful, reserved } from './testing/reserved.ts';
import { bookWith, line, onAllowance, onLine, standsOn, waitingWorld } from './testing/waiting.ts';

const rulesWith = (cap: number, capOfNode = 0, thresholds: readonly Threshold[] = []): SellingRules =>
  new SellingRules(
    [1, 2, 3].map((key) => sellingNode(key)),
    [sellingChannel(), sellingChannel({ key: 2, code: 'POS', nodes: new Set([1]) })],
    thresholds,
    {
      allowances: [
        { sku: null, node: null, cap },
        { sku: null, node: 2, cap: capOfNode },
      ],
    },
  );
const wanted = (id: string, quantity: number, over: Partial<AmendedLine> = {}): AmendedLine => ({
  ...{ id, sku: 1, quantity, nodes: null, mayWait: true },
  ...over,
});
const amend = (
  before: Reservation,
  supplies: Supplies,
  lines: readonly AmendedLine[],
  { rules = rulesWith(4), ...over }: Partial<Amendment> & { readonly rules?: SellingRules } = {},
) =>
  decideAmend(
    before,
    { expectedVersion: 7, lines, channel: null, destination: undefined, priority: null, ...over },
    supplies,
    { rules, now: NOW, override: null },
  );
const stands = (decision: Decision<VerbEffect>): unknown =>
  decision.ok ? standsOn(decision.value.reservation) : decision.rejection;
type Insufficient = Extract<Rejection, { code: 'stock.insufficient' }>;
const short = (no: number, requested: number, atp: number): object => ({
  code: 'stock.insufficient',
  shortages: [{ line: no, sku: 1, requested, atp }],
});

const LINES: readonly InboundLine[] = [line(1), line(11, { dueAt: NOW + 5 })];
/** 2 free at node 1; 3 come with line 1 to node 1, and 2 with line 11 to node 2, which is due before it. */
const bookOf = (before: Reservation, free = 2): Supplies =>
  bookWith([before], {
    stock: { 1: { available: free } },
    lines: LINES,
    coming: { 1: { available: 3 }, 11: { available: 2 } },
  });

describe('an amended line that may wait', () => {
  const held = reserved([backing(1, { held: 1 })]);

  it.each<[string, number, object]>([
    ['takes what is there', 3, { 'a@1': 3 }],
    ['waits for what is due first', 4, { 'a@1': 3, 'a<11': 1 }],
    ['then for what comes later', 7, { 'a@1': 3, 'a<11': 2, 'a<1': 2 }],
    ['then on allowances', 12, { 'a@1': 3, 'a<11': 2, 'a<1': 3, 'a~0': 4 }],
    ['is refused beyond that', 13, short(0, 12, 11)],
  ])('%s', (_, quantity, expected) => {
    const decision = amend(held, bookOf(held), [wanted('a', quantity)]);
    expect(stands(decision)).toEqual(expected);
    if (decision.ok) expectLawful(bookOf(held), decision.value.effect, [decision.value.reservation]);
  });

  it('waits as what the reservation is, and tells where', () => {
    const confirmed = reserved([backing(1, { confirmed: 1 })]);
    const decision = amend(confirmed, bookOf(confirmed, 0), [wanted('a', 2)]);
    expect(decision.ok && decision.value.reservation.backings[1]).toMatchObject({ kind: 'incoming', confirmed: 1 });
    expect(decision.ok && decision.value.changes).toEqual([
      {
        ...{ line: 0, sku: 1, node: null, quantity: 1, fulfilment: null },
        to: { node: 2, fulfilment: null, ahead: { kind: 'incoming', detail: 11 } },
      },
    ]);
  });

  it('keeps to its nodes', () =>
    expect(stands(amend(held, bookOf(held, 0), [wanted('a', 9, { nodes: [1] })]))).toEqual(short(0, 8, 3 + 4)));

  it.each<[string, number, object]>([
    ['waits for no more than is there', 4, { 'a@1': 1, 'b~0': 4 }],
    ['is refused beyond that', 5, short(1, 5, 4)],
  ])('that is new %s', (_, quantity, expected) => {
    const supplies = bookWith([held], {});
    expect(stands(amend(held, supplies, [wanted('b', quantity)]))).toEqual(expected);
  });

  it('leaves what is there to lines that may not wait, whatever their order', () => {
    const lines = [wanted('b', 2, { nodes: [1] }), wanted('c', 2, { mayWait: false })];
    expect(stands(amend(held, bookOf(held), lines))).toEqual({ 'a@1': 1, 'c@1': 2, 'b<1': 2 });
  });

  it('shares what is to come with the others', () => {
    const lines = [wanted('b', 6), wanted('c', 5)];
    expect(stands(amend(held, bookOf(held), lines))).toEqual({
      ...{ 'a@1': 1, 'b@1': 2, 'b<11': 2, 'b<1': 2 },
      ...{ 'c<1': 1, 'c~0': 4 },
    });
    expect(stands(amend(held, bookOf(held), [wanted('b', 6), wanted('c', 6)]))).toEqual(short(2, 6, 5));
  });

  it('waits where another line of it gives its place up', () => {
    const before = reserved([onLine(11, { held: 2 }), onAllowance({ held: 4, line: 1 })]);
    const supplies = bookWith([before], { lines: LINES });
    const lines = [wanted('a', 0), wanted('b', 1), wanted('c', 5)];
    expect(stands(amend(before, supplies, lines))).toEqual({ 'b~0': 1, 'c<11': 2, 'c~0': 3 });
    expect(stands(amend(before, supplies, [...lines.slice(0, 2), wanted('c', 6)]))).toEqual(short(2, 6, 5));
  });

  it('leaves the units that wait where they are, though others are free by now', () => {
    const before = reserved([onLine(1, { held: 2 }), onAllowance({ held: 1 })]);
    const decision = amend(before, bookOf(before), [wanted('a', 4)]);
    expect(stands(decision)).toEqual({ 'a<1': 2, 'a~0': 1, 'a@1': 1 });
  });

  it('waits elsewhere when its line may not come where it waits', () => {
    const before = reserved([onLine(1, { held: 2 })]);
    const supplies = bookOf(before, 0);
    expect(stands(amend(before, supplies, [wanted('a', 2, { nodes: [2] })]))).toEqual({ 'a<11': 2 });
    expect(stands(amend(before, supplies, [wanted('a', 2, { nodes: [2], mayWait: false })]))).toEqual(short(0, 2, 0));
  });

  it.each<[string, Threshold]>([
    ['at a node', threshold({ quantity: 1 })],
    ['as a whole', threshold({ scope: 'network', quantity: 1 })],
  ])('waits rather than take what its channel hides %s', (_, hidden) => {
    const rules = rulesWith(4, 0, [hidden]);
    expect(stands(amend(held, bookOf(held), [wanted('a', 3)], { rules }))).toEqual({ 'a@1': 2, 'a<11': 1 });
  });

  it('waits for nothing that its new channel may not sell', () => {
    const decision = amend(held, bookOf(held, 0), [wanted('a', 9)], { channel: 2 });
    expect(stands(decision)).toEqual(short(0, 8, 3 + 4));
  });

  it('that is late or may not wait waits for nothing', () => {
    const late = bookWith([held], { lines: [line(1, { dueAt: NOW - 1 })], coming: { 1: { available: 3 } } });
    expect(stands(amend(held, late, [wanted('a', 2)], { rules: rulesWith(0) }))).toEqual(short(0, 1, 0));
    expect(stands(amend(held, bookOf(held, 0), [wanted('a', 2, { mayWait: false })]))).toEqual(short(0, 1, 0));
  });
});

const someLine = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  quantity: fc.nat(8),
  nodes: fc.constantFrom<readonly number[] | null>(null, null, [2], [1, 2]),
  mayWait: fc.boolean(),
});
const someRules = fc
  .record({ cap: fc.nat(8), capOfNode: fc.nat(3), hides: fc.nat(2), scope: fc.constantFrom('node', 'network') })
  .map(({ cap, capOfNode, hides, scope }) => rulesWith(cap, capOfNode, [threshold({ scope, quantity: hides })]));
const world = fc.record({
  waiting: waitingWorld,
  rules: someRules,
  lines: fc.uniqueArray(someLine, { selector: ({ id }) => id, minLength: 1, maxLength: 3 }),
  channel: fc.constantFrom(null, null, null, 2),
});
const asked = (lines: readonly Omit<AmendedLine, 'sku'>[]): readonly AmendedLine[] =>
  lines.map((one) => ({ ...one, sku: 1 }));

describe('laws of amending lines that may wait', () => {
  it('what stands afterwards is lawful, within caps, and new waiting is only for lines that may wait', () => {
    let accepted = 0;
    let waits = 0;
    fc.assert(
      fc.property(world, ({ waiting: { reservations, supplies }, rules, lines, channel }) => {
        const [before, ...others] = reservations as [Reservation, ...Reservation[]];
        const decision = amend(before, supplies, asked(lines), { rules, channel });
        if (!decision.ok) return;
        accepted++;
        const { reservation, effect } = decision.value;
        expectLawful(supplies, effect, [reservation, ...others]);
        const caps = rules.allowancesOf(1);
        const after = suppliesAfter(supplies, effect).get(1) ?? noSupply(1);
        for (const row of after.future) {
          const grew = promised(row) - promised(rowOf(supplies.get(1)!, row));
          if (row.kind === 'allowance' && grew > 0) expect(promised(row)).toBeLessThanOrEqual(caps.get(row.node)!);
          if (row.kind === 'incoming' && grew > 0) expect(row.shortfall).toBe(0);
        }
        for (const one of reservation.backings) {
          const had = before.backings[one.no];
          if (one.kind === 'stock' || one.kind === 'unbacked' || open(one) <= (had ? open(had) : 0)) continue;
          waits++;
          const { id, nodes } = reservation.lines[one.line]!;
          expect(lines.find((named) => named.id === id)?.mayWait).toBe(true);
          expect(one.node === 0 || (nodes?.includes(one.node) ?? true)).toBe(true);
        }
      }),
      { numRuns: 600 },
    );
    expect([accepted > 150, waits > 50]).toEqual([true, true]);
  });

  it('a line that is added gets what a hold of it would get', () => {
    fc.assert(
      fc.property(world, ({ waiting: { supplies }, rules, lines: [one] }) => {
        const before = reserved([backing(3, { held: 1, sku: 2 })], { key: 99 });
        const book = new Map([...supplies, [2, noSupply(2)] as const]);
        const { quantity, nodes, mayWait } = one!;
        const added = amend(before, book, [{ id: 'x', sku: 1, quantity: quantity + 1, nodes, mayWait }], { rules });
        const held = decideHold(
          { lines: [{ sku: 1, quantity: quantity + 1, nodes, mayWait }], allowPartial: false, destination: null },
          book,
          rules,
          { channel: rules.channels.get(1)!, now: NOW },
        );
        expect(added.ok).toBe(held.ok);
        if (!held.ok) {
          const { atp } = (held.rejection as Insufficient).shortages[0]!;
          // What a channel hides as a whole a line that may not wait learns from the settlement.
          if (mayWait) expect(stands(added)).toEqual(short(1, quantity + 1, atp));
          return;
        }
        const got = held.value.units.map(({ node, units, ahead }) => [ahead?.kind ?? 'stock', node, units]);
        const own = added.ok ? added.value.reservation.backings.filter(({ line: no }) => no === 1) : [];
        expect(own.map((all) => [all.kind, all.node, open(all)])).toEqual(got);
      }),
      { numRuns: 400 },
    );
  });

  it('keeps on the very same rows as many waiting units as are still wanted there', () => {
    fc.assert(
      fc.property(world, ({ waiting: { reservations, supplies }, rules, lines }) => {
        const [before] = reservations as [Reservation];
        // Asked for what they have or more, at any node.
        const more = lines
          .filter(({ id }) => before.lines.some((own) => own.id === id))
          .map((one) => {
            const own = before.backings.filter(({ line: no }) => before.lines[no]!.id === one.id);
            return { ...one, nodes: null, quantity: one.quantity + own.reduce((sum, all) => sum + open(all), 0) };
          });
        const decision = amend(before, supplies, asked(more), { rules });
        if (!decision.ok) return;
        for (const had of before.backings)
          expect(open(decision.value.reservation.backings[had.no]!)).toBeGreaterThanOrEqual(open(had));
      }),
      { numRuns: 300 },
    );
  });
});
