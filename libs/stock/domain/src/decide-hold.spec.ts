import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyTransfers } from './arithmetic.ts';
import { policyOf } from './allocation.ts';
import { lowestKey } from './allocation-rules.ts';
import { channelAtp } from './atp.ts';
import { type Grant, type HoldDemand, decideHold, sumLines } from './decide-hold.ts';
import type { Decision } from './rejection.ts';
import { rowFault } from './supply-row.ts';
import { type Supplies, rowAt } from './supply.ts';
import {
  available,
  fromAll,
  notAt,
  openRules,
  row,
  suppliesOf,
  supplyOf,
  threshold,
  validRow,
} from './testing/arbitraries.ts';

const demandFor = (lines: readonly (readonly [number, number])[], over: Partial<HoldDemand> = {}): HoldDemand => ({
  lines: lines.map(([sku, quantity]) => ({ sku, quantity })),
  allowPartial: false,
  destination: null,
  ...over,
});
const partial = { allowPartial: true };
const granted = (decision: Decision<Grant>) =>
  decision.ok ? decision.value.lines.map(({ sku, granted: units }) => [sku, units]) : decision.rejection;
const backed = (decision: Decision<Grant>) =>
  decision.ok ? decision.value.backings.map(({ sku, node, held }) => [sku, node, held]) : decision.rejection;
const insufficient = (...shortages: readonly (readonly [number, number, number])[]) => ({
  code: 'stock.insufficient',
  shortages: shortages.map(([sku, requested, atp]) => ({ sku, requested, atp })),
});
/** The supplies after a grant, and the same ones after a refusal. */
const after = (before: Supplies, decision: Decision<Grant>): Supplies =>
  decision.ok ? new Map([...before, ...decision.value.effect.supplies]) : before;

describe('a hold', () => {
  const rules = openRules();
  const supplies = suppliesOf(available(1, [3, 5]), available(2, [2]));
  const hold = (demand: HoldDemand) => decideHold(demand, supplies, rules, fromAll());

  it('is backed by named units at nodes', () => expect(backed(hold(demandFor([[1, 4]])))).toEqual([[1, 2, 4]]));
  it('is split only when no node serves it alone', () =>
    expect(backed(hold(demandFor([[1, 8]])))).toEqual([
      [1, 2, 5],
      [1, 1, 3],
    ]));
  describe('under a policy of its own', () => {
    const policy = policyOf([notAt(2), lowestKey]);
    const under = (demand: HoldDemand) => decideHold(demand, supplies, rules, fromAll(), policy);

    it('is backed where the policy says', () => expect(backed(under(demandFor([[1, 3]])))).toEqual([[1, 1, 3]]));
    it('is not granted what is only at nodes that the policy refuses', () =>
      expect(granted(under(demandFor([[1, 4]])))).toEqual(insufficient([1, 4, 3])));
    it('is granted in part what is elsewhere', () => {
      const decision = under(demandFor([[1, 4]], partial));
      expect(granted(decision)).toEqual([[1, 3]]);
      expect(backed(decision)).toEqual([[1, 1, 3]]);
    });
  });

  it('takes the last unit', () => expect(granted(hold(demandFor([[2, 2]])))).toEqual([[2, 2]]));
  it('is refused one unit later', () => expect(granted(hold(demandFor([[2, 3]])))).toEqual(insufficient([2, 3, 2])));

  it('is all or nothing over its lines, and names every short one', () => {
    const cart = demandFor([
      [1, 9],
      [2, 1],
      [2, 5],
    ]);
    expect(granted(hold(cart))).toEqual(insufficient([1, 9, 8], [2, 6, 2]));
  });

  it('sums lines of one SKU and decides them together', () => {
    expect(
      granted(
        hold(
          demandFor([
            [2, 1],
            [2, 1],
          ]),
        ),
      ),
    ).toEqual([[2, 2]]);
    expect(
      granted(
        hold(
          demandFor([
            [2, 2],
            [2, 1],
          ]),
        ),
      ),
    ).toEqual(insufficient([2, 3, 2]));
    expect(
      granted(
        hold(
          demandFor(
            [
              [2, 2],
              [2, 1],
            ],
            partial,
          ),
        ),
      ),
    ).toEqual([[2, 2]]);
  });

  it('grants what there is when it may be partial', () => {
    expect(
      granted(
        hold(
          demandFor(
            [
              [1, 9],
              [2, 2],
            ],
            partial,
          ),
        ),
      ),
    ).toEqual([
      [1, 8],
      [2, 2],
    ]);
  });

  it('is refused even if it may be partial when not one unit is there', () => {
    const empty = suppliesOf(available(1, [0]), available(2, []));
    const decision = decideHold(
      demandFor(
        [
          [1, 1],
          [2, 2],
        ],
        partial,
      ),
      empty,
      rules,
      fromAll(),
    );
    expect(granted(decision)).toEqual(insufficient([1, 1, 0], [2, 2, 0]));
  });

  it('keeps a line with nothing beside one with something, when it may be partial', () => {
    const half = suppliesOf(available(1, [0]), available(2, [1]));
    const decision = decideHold(
      demandFor(
        [
          [1, 1],
          [2, 2],
        ],
        partial,
      ),
      half,
      rules,
      fromAll(),
    );
    expect(granted(decision)).toEqual([
      [1, 0],
      [2, 1],
    ]);
  });

  it('never takes a hidden unit', () => {
    const hiding = openRules([threshold({ quantity: 2 }), threshold({ scope: 'network', quantity: 1 })]);
    const decide = (quantity: number) => decideHold(demandFor([[1, quantity]]), supplies, hiding, fromAll());
    expect(granted(decide(3))).toEqual([[1, 3]]);
    expect(granted(decide(4))).toEqual(insufficient([1, 4, 3]));
  });

  it('keeps to the nodes that may back it, as for a pickup', () => {
    const pickup = fromAll({ nodes: new Set([1]) });
    expect(granted(decideHold(demandFor([[1, 4]]), supplies, rules, pickup))).toEqual(insufficient([1, 4, 3]));
    expect(backed(decideHold(demandFor([[1, 3]]), supplies, rules, pickup))).toEqual([[1, 1, 3]]);
  });

  it('of a SKU without its gate is a broken invariant', () => {
    expect(() => hold(demandFor([[9, 1]]))).toThrow(/without its gate/);
  });
});

describe('lines of one demand', () => {
  it('keep the order of their first appearance', () => {
    expect(
      sumLines(
        demandFor([
          [2, 1],
          [1, 4],
          [2, 3],
        ]).lines,
      ),
    ).toEqual(
      demandFor([
        [2, 4],
        [1, 4],
      ]).lines,
    );
  });
  it('are left alone when no SKU comes twice', () => {
    const { lines } = demandFor([
      [2, 1],
      [1, 4],
    ]);
    expect(sumLines(lines)).toBe(lines);
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
const someDemand = fc.record({
  lines: fc.array(fc.record({ sku: fc.constantFrom(...SKUS), quantity: fc.integer({ min: 1, max: 9 }) }), {
    minLength: 1,
    maxLength: 5,
  }),
  allowPartial: fc.boolean(),
  destination: fc.constant(null),
});
const somewhere = fc
  .option(fc.subarray([1, 2, 3], { minLength: 1 }), { nil: null })
  .map((nodes) => fromAll({ nodes: nodes && new Set(nodes) }));

describe('laws of a hold', () => {
  it('grants at most the ATP that a read shows, and is refused only when a line exceeds it', () => {
    fc.assert(
      fc.property(someDemand, someSupplies, someRules, somewhere, (demand, supplies, rules, perspective) => {
        const decision = decideHold(demand, supplies, rules, perspective);
        const wishes = sumLines(demand.lines).map(({ sku, quantity }) => ({
          sku,
          requested: quantity,
          atp: channelAtp(supplies.get(sku)!, rules, perspective).atp,
        }));
        const short = wishes.filter(({ requested, atp }) => atp < requested);
        const refused = demand.allowPartial ? wishes.every(({ atp }) => atp === 0) : short.length > 0;
        expect(decision.ok).toBe(!refused);
        if (!decision.ok) return expect(decision.rejection).toEqual({ code: 'stock.insufficient', shortages: short });
        const expected = wishes.map(({ sku, requested, atp }) => ({
          sku,
          requested,
          granted: Math.min(requested, atp),
        }));
        expect(decision.value.lines).toEqual(expected);
      }),
      { numRuns: 250 },
    );
  });

  it('backs each granted unit once, and the book moves exactly those units', () => {
    fc.assert(
      fc.property(someDemand, someSupplies, someRules, somewhere, (demand, supplies, rules, perspective) => {
        const decision = decideHold(demand, supplies, rules, perspective);
        if (!decision.ok) return;
        const { lines, backings, effect } = decision.value;
        for (const { sku, granted: units } of lines) {
          const own = backings.filter((backing) => backing.sku === sku);
          expect(own.reduce((sum, { held }) => sum + held, 0)).toBe(units);
        }
        expect(new Set(backings.map(({ sku, node }) => `${sku}/${node}`)).size).toBe(backings.length);
        expect(effect.postings).toEqual(
          backings.map(({ sku, node, held }) => ({ sku, node, from: 'available', to: 'reserved', quantity: held })),
        );
        for (const [sku, supply] of effect.supplies) {
          for (const changed of supply.rows) {
            const own = effect.postings.filter((posting) => posting.sku === sku && posting.node === changed.node);
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
        for (const { sku, granted: units } of decision.value.lines) {
          const atp = (all: Supplies) => channelAtp(all.get(sku)!, rules, fromAll()).atp;
          expect(atp(after(supplies, decision))).toBe(atp(supplies) - units);
        }
      }),
    );
  });

  it('touches no supply when refused, so that a later cart of the batch gets the units', () => {
    fc.assert(
      fc.property(someDemand, someSupplies, someRules, (demand, supplies, rules) => {
        const frozen = structuredClone([...supplies]);
        const greedy = { ...demand, allowPartial: false, lines: [...demand.lines, { sku: 3, quantity: 99_000_000 }] };
        const refused = decideHold(greedy, supplies, rules, fromAll());
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
          for (const { sku, held } of decision.ok ? decision.value.backings : [])
            promisedUnits.set(sku, promisedUnits.get(sku)! + held);
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
