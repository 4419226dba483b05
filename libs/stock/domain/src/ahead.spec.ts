import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aheadOf, atpWithIncoming, takeAhead } from './ahead.ts';
import { type Perspective, channelAtp } from './atp.ts';
import { type HoldLine, decideHold } from './decide-hold.ts';
import type { InboundLine } from './inbound.ts';
import type { Reservation } from './reservation.ts';
import { type AllowanceRule, SellingRules } from './selling-rules.ts';
import { type SkuSupply, type Supplies, suppliesAfter } from './supply.ts';
import { type SupplyRow, promised, rowFault } from './supply-row.ts';
import {
  NOW,
  available,
  fromAll,
  openRules,
  sellingChannel,
  sellingNode,
  suppliesOf,
  threshold,
} from './testing/arbitraries.ts';
import { reserved } from './testing/reserved.ts';
import { type TestBook, bookWith, line, onAllowance, onLine } from './testing/waiting.ts';

const rulesWith = (allowances: readonly AllowanceRule[] = []): SellingRules =>
  new SellingRules(
    [1, 2, 3].map((key) => sellingNode(key)),
    [sellingChannel(), sellingChannel({ key: 2, code: 'POS', nodes: new Set([2]) })],
    [],
    { allowances },
  );
const allowance = (over: Partial<AllowanceRule> = {}): AllowanceRule => ({ sku: null, node: null, cap: 5, ...over });
const bookOf = (book: TestBook, ...reservations: readonly Reservation[]): SkuSupply =>
  bookWith(reservations, book).get(1)!;
const coming = (
  ...lines: readonly (readonly [units: number, detail: number, over?: Partial<InboundLine>])[]
): TestBook => ({
  lines: lines.map(([, detail, over]) => line(detail, over)),
  coming: Object.fromEntries(lines.map(([units, detail]) => [detail, { available: units }])),
});
/** In short: `3<1` is 3 units of line 1, `3~0` of the allowance of any node. */
const told = (supply: SkuSupply, rules: SellingRules, over: Partial<Perspective> = {}): readonly string[] =>
  aheadOf(supply, rules, fromAll(over)).map(({ at, units }) =>
    at.kind === 'incoming' ? `${units}<${at.detail}` : `${units}~${at.node}`,
  );

describe('what is to come', () => {
  it.each<[string, TestBook, Partial<Perspective>, readonly string[]]>([
    [
      'is promised in the order in which it is due',
      coming([3, 1, { dueAt: NOW + 9 }], [2, 11, { dueAt: NOW + 5 }]),
      {},
      ['2<11', '3<1'],
    ],
    [
      'is promised last where nobody knows when',
      coming([3, 1, { dueAt: null }], [2, 2], [1, 3, { dueAt: null }]),
      {},
      ['2<2', '3<1', '1<3'],
    ],
    ['is not promised when it is late', coming([3, 1, { dueAt: NOW - 1 }], [2, 2, { dueAt: NOW }]), {}, ['2<2']],
    ['is not promised when its line is closed', coming([3, 1, { isClosed: true }]), {}, []],
    [
      'is for nodes that the channel sells from',
      coming([3, 1], [2, 11]),
      { channel: sellingChannel({ nodes: new Set([2]) }) },
      ['2<11'],
    ],
    ['is for the nodes of the line', coming([3, 1], [2, 11]), { nodes: new Set([1]) }, ['3<1']],
    ['is not there twice', { lines: [line(1)], coming: { 1: { available: 0, damaged: 4 } } }, {}, []],
  ])('%s', (_, book, over, expected) => expect(told(bookOf(book), rulesWith(), over)).toEqual(expected));

  it.each<[string, readonly AllowanceRule[], readonly Reservation[], Partial<Perspective>, readonly string[]]>([
    ['may be allowed', [allowance()], [], {}, ['5~0']],
    [
      'is allowed up to its cap, less what is promised',
      [allowance()],
      [reserved([onAllowance({ held: 1, confirmed: 2 })])],
      {},
      ['2~0'],
    ],
    [
      'is not allowed beyond a cap that has become smaller',
      [allowance({ cap: 1 })],
      [reserved([onAllowance({ confirmed: 3 })])],
      {},
      [],
    ],
    ['is allowed by node first', [allowance(), allowance({ node: 2, cap: 1 })], [], {}, ['1~2', '5~0']],
    [
      'is not allowed at a node that the channel does not sell from',
      [allowance({ node: 3 })],
      [],
      { channel: sellingChannel({ nodes: new Set([2]) }) },
      [],
    ],
    ['is not allowed at a node that may not back the line', [allowance({ node: 3 })], [], { nodes: new Set([2]) }, []],
    ['is allowed anywhere only if some node may back the line', [allowance()], [], { nodes: new Set([9]) }, []],
    [
      'is not allowed to a channel without nodes',
      [allowance()],
      [],
      { channel: sellingChannel({ nodes: new Set() }) },
      [],
    ],
  ])('%s', (_, rules, reservations, over, expected) =>
    expect(told(bookOf({}, ...reservations), rulesWith(rules), over)).toEqual(expected),
  );

  it('is not promised where sales are stopped', () => {
    const stops = [{ node: 1, channel: null, drains: false, until: null }];
    const rules = new SellingRules(
      [1, 2].map((key) => sellingNode(key)),
      [sellingChannel()],
      [],
      {
        stops,
        allowances: [allowance(), allowance({ node: 1 })],
      },
    );
    expect(told(bookOf(coming([3, 1], [2, 11])), rules)).toEqual(['2<11', '5~0']);
  });

  it('comes before what is allowed', () =>
    expect(told(bookOf(coming([3, 1, { dueAt: null }])), rulesWith([allowance()]))).toEqual(['3<1', '5~0']));

  it('is taken in its order, as far as it goes', () => {
    const ahead = aheadOf(bookOf(coming([3, 1], [2, 2])), rulesWith(), fromAll());
    expect(takeAhead(ahead, 4).map(({ units }) => units)).toEqual([3, 1]);
    expect(takeAhead(ahead, 9).map(({ units }) => units)).toEqual([3, 2]);
    expect(takeAhead(ahead, 0)).toEqual([]);
  });

  it('is read beside ATP, from which thresholds are off', () => {
    const supply = { ...bookOf(coming([3, 1])), rows: available(1, [4]).rows };
    const rules = openRules([threshold({ quantity: 1 })]);
    expect([channelAtp(supply, rules, fromAll()).atp, atpWithIncoming(supply, rules, fromAll())]).toEqual([3, 6]);
  });
});

const wish = (quantity: number, over: Partial<HoldLine> = {}): HoldLine => ({
  sku: 1,
  quantity,
  nodes: null,
  mayWait: true,
  ...over,
});
const hold = (
  lines: readonly HoldLine[],
  supplies: Supplies,
  rules: SellingRules,
  over: { allowPartial?: boolean; isSold?: boolean } = {},
) => decideHold({ lines, allowPartial: false, destination: null, ...over }, supplies, rules, fromAll());

describe('a line that may wait', () => {
  const supply = (units: number): Supplies =>
    suppliesOf({ ...bookOf(coming([3, 1], [2, 11, { dueAt: NOW + 5 }])), rows: available(1, [units]).rows });
  const rules = rulesWith([allowance({ cap: 4 })]);

  it.each<[string, number, number, readonly string[] | 'refused']>([
    ['takes what is there', 4, 4, ['4@1']],
    ['waits for what is not there', 5, 4, ['4@1', '1<11']],
    ['waits for all that is to come', 9, 0, ['2<11', '3<1', '4~0']],
    ['is refused beyond that', 10, 0, 'refused'],
  ])('%s', (_, quantity, units, expected) => {
    const decision = hold([wish(quantity)], supply(units), rules);
    if (!decision.ok)
      return expect(['refused', decision.rejection]).toEqual([
        expected,
        expect.objectContaining({ shortages: [{ line: 0, sku: 1, requested: 10, atp: 9 }] }),
      ]);
    expect(
      decision.value.units.map(({ node, units: taken, ahead }) => {
        if (!ahead) return `${taken}@${node}`;
        return ahead.kind === 'incoming' ? `${taken}<${ahead.detail}` : `${taken}~${node}`;
      }),
    ).toEqual(expected);
    expect(decision.value.granted).toEqual([quantity]);
  });

  it('gets what there is to come, if it may be partial', () => {
    const decision = hold([wish(10)], supply(0), rules, { allowPartial: true });
    expect(decision.ok && decision.value.granted).toEqual([9]);
  });

  it('lets those that may not wait have what is there, whatever their order', () => {
    const decision = hold([wish(3, { nodes: [1] }), wish(3, { mayWait: false })], supply(3), rules);
    expect(decision.ok && decision.value.units.map(({ line: no, ahead }) => [no, ahead?.detail])).toEqual([
      [1, undefined],
      [0, 1],
    ]);
  });

  it('of what is sold already, stands on nothing only beyond what is to come', () => {
    const decision = hold([wish(12)], supply(1), rules, { isSold: true });
    expect(decision.ok && decision.value.units.map(({ node, units }) => [node, units])).toEqual([
      [1, 1],
      [2, 2],
      [1, 3],
      [0, 4],
      [null, 2],
    ]);
  });

  it('makes the row of an allowance when it is the first to wait there', () => {
    const decision = hold([wish(2)], suppliesOf(bookOf({})), rules);
    expect(decision.ok && decision.value.effect.supplies.get(1)?.future).toMatchObject([
      { key: 0, kind: 'allowance', node: 0, reserved: 2 },
    ]);
  });

  it('that may not wait is refused though more is to come', () =>
    expect(hold([wish(1, { mayWait: false })], supply(0), rules)).toMatchObject({ ok: false }));
});

describe('laws of holding what is to come', () => {
  const world = fc.record({
    stock: fc.array(fc.nat(4), { minLength: 3, maxLength: 3 }),
    lines: fc.array(fc.tuple(fc.nat(4), fc.constantFrom(null, NOW - 1, NOW + 1, NOW + 2)), {
      minLength: 3,
      maxLength: 3,
    }),
    cap: fc.nat(6),
    capOfNode: fc.nat(3),
    promisedBefore: fc.nat(3),
    wishes: fc.array(
      fc.record({
        quantity: fc.integer({ min: 1, max: 9 }),
        nodes: fc.constantFrom<readonly number[] | null>(null, [1], [2, 3]),
        mayWait: fc.boolean(),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    hides: fc.nat(2),
  });
  const made = world.map(({ stock, lines, cap, capOfNode, promisedBefore, wishes, hides }) => {
    const before = reserved([onAllowance({ confirmed: promisedBefore }), onLine(1, { held: promisedBefore })]);
    const details = [1, 11, 21];
    const book = bookWith([before], {
      stock: Object.fromEntries(stock.map((units, place) => [place + 1, { available: units }])),
      ...coming(
        ...details.map(
          (detail, place) => [lines[place]?.[0] ?? 0, detail, { dueAt: lines[place]?.[1] ?? null }] as const,
        ),
      ),
    });
    const rules = new SellingRules(
      [1, 2, 3].map((key) => sellingNode(key)),
      [sellingChannel()],
      [threshold({ quantity: hides })],
      { allowances: [allowance({ cap }), allowance({ node: 2, cap: capOfNode })] },
    );
    return { supplies: book, rules, wishes: wishes.map((one) => ({ sku: 1, ...one })) };
  });

  it('what is shown is granted, and no more', () => {
    fc.assert(
      fc.property(made, ({ supplies, rules, wishes: [first] }) => {
        const shown = atpWithIncoming(
          supplies.get(1)!,
          rules,
          fromAll({ nodes: first!.nodes && new Set(first!.nodes) }),
        );
        const asked = (quantity: number) => hold([{ ...first!, mayWait: true, quantity }], supplies, rules).ok;
        expect([shown === 0 || asked(shown), asked(shown + 1)]).toEqual([true, false]);
      }),
      { numRuns: 300 },
    );
  });

  it('no row is promised more than it has or its cap, and each granted unit stands on one', () => {
    fc.assert(
      fc.property(made, ({ supplies, rules, wishes }) => {
        const decision = hold(wishes, supplies, rules, { allowPartial: true });
        if (!decision.ok) return;
        const after = suppliesAfter(supplies, decision.value.effect).get(1)!;
        const { granted, units } = decision.value;
        const caps = rules.allowancesOf(1);
        for (const row of [...after.rows, ...after.future]) {
          expect(rowFault(row)).toBeNull();
          const grew = units.filter(
            ({ node, ahead }) =>
              node === row.node && (ahead?.kind ?? 'stock') === row.kind && (ahead?.detail ?? 0) === row.detail,
          );
          const before = promisedIn(supplies.get(1)!, row);
          expect(promised(row) - before).toBe(grew.reduce((sum, one) => sum + one.units, 0));
          if (row.kind === 'allowance' && grew.length > 0)
            expect(promised(row)).toBeLessThanOrEqual(caps.get(row.node)!);
        }
        for (const [no, { mayWait, nodes }] of wishes.entries()) {
          const own = units.filter((one) => one.line === no);
          expect(own.reduce((sum, one) => sum + one.units, 0)).toBe(granted[no]);
          for (const { node, ahead } of own) {
            if (ahead) expect(mayWait).toBe(true);
            if (node !== 0) expect(nodes === null || nodes.includes(node!)).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

const promisedIn = ({ rows, future }: SkuSupply, at: SupplyRow): number =>
  [...rows, ...future]
    .filter(({ node, kind, detail }) => node === at.node && kind === at.kind && detail === at.detail)
    .reduce((sum, row) => sum + promised(row), 0);
