import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyTransfers } from './arithmetic.ts';
import { policyOf } from './allocation.ts';
import { lowestKey } from './allocation-rules.ts';
import { channelAtp } from './atp.ts';
import { type Grant, type HoldDemand, type HoldLine, decideHold } from './decide-hold.ts';
import type { Decision } from './rejection.ts';
import type { SellingRules } from './selling-rules.ts';
import { rowFault, stockAt } from './supply-row.ts';
import { type Supplies, rowAt } from './supply.ts';
import {
  available,
  fromAll,
  incoming,
  notAt,
  openRules,
  row,
  suppliesOf,
  supplyOf,
  threshold,
  validRow,
} from './testing/arbitraries.ts';

/** A SKU, units, and the nodes that may back them. */
type Wish = readonly [sku: number, quantity: number, ...nodes: readonly number[]];

const demandFor = (wishes: readonly Wish[], over: Partial<HoldDemand> = {}): HoldDemand => ({
  lines: wishes.map(([sku, quantity, ...nodes]) => ({ sku, quantity, nodes: nodes.length === 0 ? null : nodes })),
  allowPartial: false,
  destination: null,
  ...over,
});
const partial = { allowPartial: true };
const granted = (decision: Decision<Grant>) => (decision.ok ? decision.value.granted : decision.rejection);
const backed = (decision: Decision<Grant>) =>
  decision.ok ? decision.value.units.map(({ line, node, units }) => [line, node, units]) : decision.rejection;
const insufficient = (...shortages: readonly (readonly [number, number, number, number])[]) => ({
  code: 'stock.insufficient',
  shortages: shortages.map(([line, sku, requested, atp]) => ({ line, sku, requested, atp })),
});
const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);
/** The supplies after a grant, and the same ones after a refusal. */
const after = (before: Supplies, decision: Decision<Grant>): Supplies =>
  decision.ok ? new Map([...before, ...decision.value.effect.supplies]) : before;

describe('a hold', () => {
  const rules = openRules();
  const supplies = suppliesOf(available(1, [3, 5]), available(2, [2]));
  const hold = (demand: HoldDemand) => decideHold(demand, supplies, rules, fromAll());

  it('is backed by named units at nodes', () => expect(backed(hold(demandFor([[1, 4]])))).toEqual([[0, 2, 4]]));
  it('is split only when no node serves it alone', () =>
    expect(backed(hold(demandFor([[1, 8]])))).toEqual([
      [0, 2, 5],
      [0, 1, 3],
    ]));
  describe('under a policy of its own', () => {
    const policy = policyOf([notAt(2), lowestKey]);
    const under = (demand: HoldDemand) => decideHold(demand, supplies, rules, fromAll(), policy);

    it('is backed where the policy says', () => expect(backed(under(demandFor([[1, 3]])))).toEqual([[0, 1, 3]]));
    it('is not granted what is only at nodes that the policy refuses', () =>
      expect(granted(under(demandFor([[1, 4]])))).toEqual(insufficient([0, 1, 4, 3])));
    it('is granted in part what is elsewhere', () => {
      const decision = under(demandFor([[1, 4]], partial));
      expect(granted(decision)).toEqual([3]);
      expect(backed(decision)).toEqual([[0, 1, 3]]);
    });
  });

  it('takes the last unit', () => expect(granted(hold(demandFor([[2, 2]])))).toEqual([2]));
  it('is refused one unit later', () => expect(granted(hold(demandFor([[2, 3]])))).toEqual(insufficient([0, 2, 3, 2])));
  it('takes nothing that is still on its way, or has come and waits', () => {
    const later = suppliesOf(supplyOf(1, [row({ available: 1, unapplied: 5 })], [incoming({ available: 9 })]));
    expect(granted(decideHold(demandFor([[1, 2]]), later, rules, fromAll()))).toEqual(insufficient([0, 1, 2, 1]));
  });

  it.each<[string, readonly Wish[], object, unknown]>([
    [
      'is all or nothing over its lines, and names every short one',
      [
        [1, 9],
        [2, 1],
        [2, 5],
      ],
      {},
      insufficient([0, 1, 9, 8], [2, 2, 5, 1]),
    ],
    [
      'grants what there is when it may be partial',
      [
        [1, 9],
        [2, 2],
      ],
      partial,
      [8, 2],
    ],
    [
      'keeps lines of one SKU apart',
      [
        [2, 1],
        [2, 1],
      ],
      {},
      [1, 1],
    ],
    [
      'is refused for the line that finds the units of another gone',
      [
        [2, 2],
        [2, 1],
      ],
      {},
      insufficient([1, 2, 1, 0]),
    ],
    [
      'serves lines of one SKU in their order when it may be partial',
      [
        [2, 1],
        [2, 3],
      ],
      partial,
      [1, 1],
    ],
    [
      'leaves the units of a refused line to the others, so that each shortage is told for itself',
      [
        [2, 3],
        [2, 1],
      ],
      {},
      insufficient([0, 2, 3, 2]),
    ],
  ])('%s', (_, wishes, over, expected) => expect(granted(hold(demandFor(wishes, over)))).toEqual(expected));

  it('is refused even if it may be partial when not one unit is there', () => {
    const empty = suppliesOf(available(1, [0]), available(2, []));
    const cart = demandFor(
      [
        [1, 1],
        [2, 2],
      ],
      partial,
    );
    expect(granted(decideHold(cart, empty, rules, fromAll()))).toEqual(insufficient([0, 1, 1, 0], [1, 2, 2, 0]));
  });

  it('keeps a line with nothing beside one with something, when it may be partial', () => {
    const half = suppliesOf(available(1, [0]), available(2, [1]));
    const cart = demandFor(
      [
        [1, 1],
        [2, 2],
      ],
      partial,
    );
    expect(granted(decideHold(cart, half, rules, fromAll()))).toEqual([0, 1]);
  });

  it('never takes a hidden unit', () => {
    const hiding = openRules([threshold({ quantity: 2 }), threshold({ scope: 'network', quantity: 1 })]);
    const decide = (quantity: number) => decideHold(demandFor([[1, quantity]]), supplies, hiding, fromAll());
    expect(granted(decide(3))).toEqual([3]);
    expect(granted(decide(4))).toEqual(insufficient([0, 1, 4, 3]));
  });

  it('hides the units of a network threshold once, however many lines share a SKU', () => {
    const hiding = openRules([threshold({ scope: 'network', quantity: 1 })]);
    const decide = (...wishes: readonly Wish[]) => decideHold(demandFor(wishes), supplies, hiding, fromAll());
    expect(granted(decide([1, 4], [1, 3]))).toEqual([4, 3]);
    expect(granted(decide([1, 4], [1, 4]))).toEqual(insufficient([1, 1, 4, 3]));
  });

  describe('with lines for pickup', () => {
    it('keeps to the nodes of each line', () => {
      expect(granted(hold(demandFor([[1, 4, 1]])))).toEqual(insufficient([0, 1, 4, 3]));
      expect(backed(hold(demandFor([[1, 3, 1]])))).toEqual([[0, 1, 3]]);
    });

    it('decides these first: the other line of the SKU may still go elsewhere', () => {
      const cart = demandFor([
        [1, 5],
        [1, 3, 2],
      ]);
      expect(granted(hold(cart))).toEqual([5, 3]);
      expect(backed(hold(cart))).toEqual([
        [1, 2, 3],
        [0, 1, 3],
        [0, 2, 2],
      ]);
    });

    it('names short lines in the order of the lines, not in that of the decision', () => {
      const cart = demandFor([
        [1, 9],
        [2, 1],
        [1, 4, 1],
      ]);
      expect(granted(hold(cart))).toEqual(insufficient([0, 1, 9, 8], [2, 1, 4, 3]));
    });

    it('finds nothing for a line that no node may back', () => {
      const nowhere = { ...demandFor([]), lines: [{ sku: 1, quantity: 1, nodes: [] }] };
      expect(granted(hold(nowhere))).toEqual(insufficient([0, 1, 1, 0]));
    });
  });

  describe('of what is sold already', () => {
    const sold = { isSold: true };
    const hiding = openRules([threshold({ quantity: 2 }), threshold({ scope: 'network', quantity: 1 })]);
    const decide = (...wishes: readonly Wish[]) => decideHold(demandFor(wishes, sold), supplies, hiding, fromAll());

    it('takes hidden units', () => expect(backed(decide([1, 8]))).toHaveLength(2));
    it('is granted in full, and what is not there stands on nothing', () => {
      const decision = decide([2, 5]);
      expect(granted(decision)).toEqual([5]);
      expect(backed(decision)).toEqual([
        [0, 1, 2],
        [0, null, 3],
      ]);
      expect(decision.ok && decision.value.effect.postings.map(({ quantity }) => quantity)).toEqual([2]);
    });
    it('keeps to the nodes of a line', () =>
      expect(backed(decide([1, 4, 1]))).toEqual([
        [0, 1, 3],
        [0, null, 1],
      ]));
  });

  it('of a SKU without its gate is a broken invariant', () => {
    expect(() => hold(demandFor([[9, 1]]))).toThrow(/without its gate/);
  });
});

const SKUS = [1, 2, 3];
const rowsOfSku = fc.tuple(...[1, 2, 3].map((node) => validRow.map((r) => ({ ...r, node }))));
const someSupplies = fc
  .tuple(rowsOfSku, rowsOfSku, rowsOfSku)
  .map((rows) => suppliesOf(...SKUS.map((sku, index) => supplyOf(sku, rows[index]!))));
const someRules = fc
  .array(
    fc.record({
      scope: fc.constantFrom('node' as const, 'network' as const),
      node: fc.constantFrom(null, 1, 2),
      sku: fc.constantFrom(null, 1, 2),
      quantity: fc.nat(4),
    }),
    { maxLength: 3 },
  )
  .map((rules) => openRules(rules.map(threshold)));
const someNodes = fc.oneof(
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.subarray([1, 2, 3]) },
);
const someLine = fc.record({
  sku: fc.constantFrom(...SKUS),
  quantity: fc.integer({ min: 1, max: 9 }),
  nodes: someNodes,
});
const someDemand = fc.record({
  lines: fc.array(someLine, { minLength: 1, maxLength: 5 }),
  allowPartial: fc.boolean(),
  destination: fc.constant(null),
});
const readOf = ({ sku, nodes }: HoldLine, supplies: Supplies, rules: SellingRules): number =>
  channelAtp(supplies.get(sku)!, rules, fromAll({ nodes: nodes && new Set(nodes) })).atp;

describe('laws of a hold', () => {
  it('grants a line at most the ATP that a read shows, and refuses it only when it asks for more', () => {
    fc.assert(
      fc.property(someLine, fc.boolean(), someSupplies, someRules, (line, allowPartial, supplies, rules) => {
        const { sku, quantity } = line;
        const atp = readOf(line, supplies, rules);
        const decision = decideHold({ lines: [line], allowPartial, destination: null }, supplies, rules, fromAll());
        const refused = allowPartial ? atp === 0 : atp < quantity;
        const expected = refused ? insufficient([0, sku, quantity, atp]) : [Math.min(quantity, atp)];
        expect(granted(decision)).toEqual(expected);
      }),
      { numRuns: 250 },
    );
  });

  it('decides a cart as its lines one after the other, those that the fewest nodes may serve first', () => {
    fc.assert(
      fc.property(someDemand, someSupplies, someRules, (demand, supplies, rules) => {
        const { lines, allowPartial } = demand;
        const places = lines.map((_, place) => place);
        const choice = (place: number): number => lines[place]!.nodes?.length ?? 99;
        const order = places.toSorted((a, b) => choice(a) - choice(b));
        const expected = lines.map(() => 0);
        const shortages: { line: number; sku: number; requested: number; atp: number }[] = [];
        let current = supplies;
        for (const place of order) {
          const line = lines[place]!;
          const atp = readOf(line, current, rules);
          if (atp < line.quantity) shortages.push({ line: place, sku: line.sku, requested: line.quantity, atp });
          const one = decideHold({ ...demand, lines: [line] }, current, rules, fromAll());
          if (one.ok) expected[place] = one.value.granted[0]!;
          current = after(current, one);
        }
        const refused = allowPartial ? sumOf(expected) === 0 : shortages.length > 0;
        const decision = decideHold(demand, supplies, rules, fromAll());
        if (refused)
          expect(granted(decision)).toEqual({
            code: 'stock.insufficient',
            shortages: shortages.toSorted((a, b) => a.line - b.line),
          });
        else {
          expect(granted(decision)).toEqual(expected);
          expect(after(supplies, decision)).toEqual(current);
        }
      }),
      { numRuns: 250 },
    );
  });

  it('backs each granted unit once, and the book moves exactly those units', () => {
    fc.assert(
      fc.property(someDemand, someSupplies, someRules, (demand, supplies, rules) => {
        const decision = decideHold(demand, supplies, rules, fromAll());
        if (!decision.ok) return;
        const { granted: perLine, units, effect } = decision.value;
        for (const [line, { sku, nodes }] of demand.lines.entries()) {
          const own = units.filter((one) => one.line === line);
          expect(sumOf(own.map((one) => one.units))).toBe(perLine[line]);
          for (const one of own)
            expect([one.sku, one.node !== null && (nodes?.includes(one.node) ?? true)]).toEqual([sku, true]);
        }
        expect(new Set(units.map(({ line, node }) => `${line}/${node}`)).size).toBe(units.length);
        expect(effect.postings).toEqual(
          units.map(({ sku, node, units: quantity }) => ({
            sku,
            at: stockAt(node ?? 0),
            from: 'available',
            to: 'reserved',
            quantity,
          })),
        );
        for (const [sku, supply] of effect.supplies) {
          for (const changed of supply.rows) {
            const own = effect.postings.filter((posting) => posting.sku === sku && posting.at.node === changed.node);
            expect(rowFault(changed)).toBeNull();
            expect(applyTransfers(rowAt(supplies.get(sku)!, changed.node), own)).toEqual(changed);
          }
        }
      }),
      { numRuns: 250 },
    );
  });

  it('lowers ATP by what it granted', () => {
    fc.assert(
      fc.property(someDemand, someSupplies, someRules, (demand, supplies, rules) => {
        const decision = decideHold(demand, supplies, rules, fromAll());
        if (!decision.ok) return;
        for (const sku of SKUS) {
          const taken = demand.lines.map((line, place) => (line.sku === sku ? decision.value.granted[place]! : 0));
          const atp = (all: Supplies) => channelAtp(all.get(sku)!, rules, fromAll()).atp;
          expect(atp(after(supplies, decision))).toBe(atp(supplies) - sumOf(taken));
        }
      }),
    );
  });

  it('touches no supply when refused, so that a later cart of the batch gets the units', () => {
    fc.assert(
      fc.property(someDemand, someSupplies, someRules, (demand, supplies, rules) => {
        const frozen = structuredClone([...supplies]);
        const lines = [...demand.lines, { sku: 3, quantity: 99_000_000, nodes: null }];
        const refused = decideHold({ ...demand, allowPartial: false, lines }, supplies, rules, fromAll());
        expect(refused.ok).toBe(false);
        expect([...supplies]).toEqual(frozen);
        const alone = decideHold(demand, supplies, rules, fromAll());
        expect(decideHold(demand, after(supplies, refused), rules, fromAll())).toEqual(alone);
      }),
    );
  });

  it('never promises one unit twice, whatever carts race for it', () => {
    const carts = fc.array(someDemand, { maxLength: 12 });
    fc.assert(
      fc.property(carts, fc.array(fc.nat(9), { maxLength: 3 }), (demands, stock) => {
        const start = suppliesOf(...SKUS.map((sku) => available(sku, stock)));
        const there = stock.reduce((sum, atp) => sum + atp, 0);
        const promisedUnits = new Map(SKUS.map((sku) => [sku, 0]));
        let current = start;
        for (const demand of demands) {
          const decision = decideHold(demand, current, openRules(), fromAll());
          current = after(current, decision);
          for (const { sku, units } of decision.ok ? decision.value.units : [])
            promisedUnits.set(sku, promisedUnits.get(sku)! + units);
        }
        for (const [sku, sum] of promisedUnits) {
          expect(sum).toBeLessThanOrEqual(there);
          const left = current.get(sku)!.rows.reduce((total, r) => total + r.available, 0);
          expect(left + sum).toBe(there);
        }
      }),
    );
  });

  it('grants exactly the last unit once: two buyers, one yes', () => {
    const start = suppliesOf(supplyOf(1, [row({ available: 1 })]));
    const first = decideHold(demandFor([[1, 1]]), start, openRules(), fromAll());
    const second = decideHold(demandFor([[1, 1]]), after(start, first), openRules(), fromAll());
    expect([first.ok, second.ok]).toEqual([true, false]);
  });
});
