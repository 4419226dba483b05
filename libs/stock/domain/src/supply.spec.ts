import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyTransfers, hold, supply as receive } from './arithmetic.ts';
import { emptyRow } from './supply-row.ts';
import { SupplyDraft, availableOf, rowAt, shortfallOf } from './supply.ts';
import { available, operate, operation, row, suppliesOf, supplyOf } from './testing/arbitraries.ts';

describe('a draft over supplies', () => {
  it('leaves its base as it is', () => {
    const base = suppliesOf(available(1, [5]));
    const draft = new SupplyDraft(base);
    draft.change(1, 1, (r) => hold(r, 5));
    expect(base).toEqual(suppliesOf(available(1, [5])));
    expect(rowAt(draft.supply(1), 1)).toEqual(row({ reserved: 5 }));
  });

  it('sees its own earlier changes', () => {
    const draft = new SupplyDraft(suppliesOf(available(1, [1])));
    draft.change(1, 1, (r) => hold(r, 1));
    expect(() => draft.change(1, 1, (r) => hold(r, 1))).toThrow(/Broken invariant/);
  });

  it('starts a row that a node does not have yet', () => {
    const draft = new SupplyDraft(suppliesOf(available(1, [5])));
    draft.change(1, 4, (r) => receive(r, 2));
    expect(draft.supply(1).rows).toEqual([row({ available: 5 }), row({ node: 4, available: 2 })]);
  });

  it('refuses a SKU that was not locked', () => {
    expect(() => new SupplyDraft(new Map()).supply(1)).toThrow(/without its gate/);
  });

  it('tells of the SKUs that it changed and of no other', () => {
    const draft = new SupplyDraft(suppliesOf(available(1, [5]), available(2, [5])));
    draft.change(2, 1, (r) => hold(r, 1));
    expect([...draft.effect().supplies.keys()]).toEqual([2]);
  });

  it('posts exactly what changed: replay of the postings is the new book', () => {
    const step = fc.record({ sku: fc.constantFrom(1, 2), node: fc.constantFrom(1, 2, 3), done: operation });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const draft = new SupplyDraft(suppliesOf(supplyOf(1, []), supplyOf(2, [])));
        for (const { sku, node, done } of steps) draft.change(sku, node, (r) => operate(r, done));
        const { supplies, postings } = draft.effect();
        for (const [sku, { rows }] of supplies) {
          for (const after of rows) {
            const own = postings.filter((posting) => posting.sku === sku && posting.node === after.node);
            expect(applyTransfers(emptyRow(after.node), own)).toEqual(after);
          }
        }
      }),
    );
  });
});

describe('sums over a SKU’s rows', () => {
  const two = supplyOf(1, [row({ available: 3 }), row({ node: 2, reserved: 4, shortfall: 2 })]);
  it('counts what is available', () => expect(availableOf(two)).toBe(3));
  it('counts what is short', () => expect(shortfallOf(two)).toBe(2));
  it('has nothing at a node without a row', () => expect(rowAt(two, 9)).toEqual(emptyRow(9)));
});
