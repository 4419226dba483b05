import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyTransfers, hold, supply as receive } from './arithmetic.ts';
import { type SupplyPlace, emptyRow, isSamePlace, stockAt } from './supply-row.ts';
import { NO_FUTURE, SupplyDraft, availableOf, rowAt, rowOf, shortfallOf, suppliesAfter } from './supply.ts';
import {
  available,
  incoming,
  limited,
  operate,
  operation,
  promising,
  row,
  stop,
  suppliesOf,
  supplyOf,
} from './testing/arbitraries.ts';

const ON_ITS_WAY: SupplyPlace = { node: 1, kind: 'incoming', detail: 1 };
const ALLOWANCE: SupplyPlace = { node: 0, kind: 'allowance', detail: 0 };

describe('a draft over supplies', () => {
  it('leaves its base as it is', () => {
    const base = suppliesOf(available(1, [5]));
    const draft = new SupplyDraft(base);
    draft.change(1, stockAt(1), (r) => hold(r, 5));
    expect(base).toEqual(suppliesOf(available(1, [5])));
    expect(rowAt(draft.supply(1), 1)).toEqual(row({ reserved: 5 }));
  });

  it('sees its own earlier changes', () => {
    const draft = new SupplyDraft(suppliesOf(available(1, [1])));
    draft.change(1, stockAt(1), (r) => hold(r, 1));
    expect(() => draft.change(1, stockAt(1), (r) => hold(r, 1))).toThrow(/Broken invariant/);
  });

  it('starts a row that a node does not have yet', () => {
    const draft = new SupplyDraft(suppliesOf(available(1, [5])));
    draft.change(1, stockAt(4), (r) => receive(r, 2));
    expect(draft.supply(1).rows).toEqual([row({ available: 5 }), row({ node: 4, available: 2 })]);
  });

  it('changes what is on its way beside what is there', () => {
    const draft = new SupplyDraft(suppliesOf(supplyOf(1, [row({ available: 5 })], [incoming({ available: 3 })])));
    draft.change(1, ON_ITS_WAY, (r) => hold(r, 2));
    expect(draft.supply(1)).toEqual(supplyOf(1, [row({ available: 5 })], [incoming({ available: 1, reserved: 2 })]));
    expect(draft.effect().postings).toEqual([
      { sku: 1, at: ON_ITS_WAY, from: 'available', to: 'reserved', quantity: 2 },
    ]);
  });

  it('tells rows of what is on its way to one node apart by what brings them', () => {
    const two = [incoming({ available: 3 }), incoming({ detail: 2, available: 3 })];
    const draft = new SupplyDraft(suppliesOf(supplyOf(1, [], two)));
    draft.change(1, { ...ON_ITS_WAY, detail: 2 }, (r) => hold(r, 1));
    expect(draft.supply(1).future).toEqual([two[0], incoming({ detail: 2, available: 2, reserved: 1 })]);
  });

  it('starts a row of the future that there is none of yet', () => {
    const draft = new SupplyDraft(suppliesOf(available(1, [5])));
    const promise = { from: 'expected', to: 'reserved', quantity: 2 } as const;
    draft.change(1, ALLOWANCE, (r) => ({ row: applyTransfers(r, [promise]), transfers: [promise] }));
    expect(draft.supply(1)).toEqual({ ...available(1, [5]), future: [row({ ...ALLOWANCE, reserved: 2 })] });
  });

  it('leaves what it does not change the same object, so that nobody looks at it', () => {
    const base = supplyOf(1, [row({ available: 5 }), row({ node: 2, available: 1 })], [incoming({ available: 3 })]);
    const draft = new SupplyDraft(suppliesOf(base));
    draft.change(1, stockAt(2), (r) => hold(r, 1));
    expect(draft.supply(1).rows[0]).toBe(base.rows[0]);
    expect(draft.supply(1).future).toBe(base.future);
  });

  it('refuses a SKU that was not locked', () => {
    expect(() => new SupplyDraft(new Map()).supply(1)).toThrow(/without its gate/);
  });

  it('tells of the SKUs that it changed and of no other', () => {
    const draft = new SupplyDraft(suppliesOf(available(1, [5]), available(2, [5])));
    draft.change(2, stockAt(1), (r) => hold(r, 1));
    expect([...draft.effect().supplies.keys()]).toEqual([2]);
  });

  it('posts exactly what changed: replay of the postings is the new book', () => {
    const sku = fc.constantFrom(1, 2);
    const node = fc.constantFrom(1, 2, 3);
    const there = fc.record({ sku, at: node.map(stockAt), done: operation });
    const coming = fc.record({
      sku,
      at: fc.record({ node, kind: fc.constant('incoming' as const), detail: fc.constantFrom(1, 2) }),
      done: promising,
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(there, coming), { maxLength: 25 }), (steps) => {
        const start = supplyOf(
          1,
          [],
          [1, 2, 3].map((to) => incoming({ node: to, available: 9 })),
        );
        const base = suppliesOf(start, { ...start, sku: 2 });
        const draft = new SupplyDraft(base);
        for (const { sku: of, at, done } of steps) draft.change(of, at, (r) => operate(r, done));
        const { supplies, postings } = draft.effect();
        for (const [of, { rows, future }] of supplies) {
          for (const after of [...rows, ...future]) {
            const own = postings.filter((one) => one.sku === of && isSamePlace(one.at, after));
            expect(applyTransfers(rowOf(base.get(of)!, after), own)).toEqual(after);
          }
        }
      }),
    );
  });
});

describe('the supplies after an effect', () => {
  it('are the same object when nothing has changed', () => {
    const before = suppliesOf(available(1, [5]));
    expect(suppliesAfter(before, { supplies: new Map(), postings: [] })).toBe(before);
  });
  it('keep the SKUs that it does not touch', () => {
    const before = suppliesOf(available(1, [5]), available(2, [5]));
    const after = suppliesAfter(before, { supplies: suppliesOf(available(2, [4])), postings: [] });
    expect(after).toEqual(suppliesOf(available(1, [5]), available(2, [4])));
  });
});

describe('sums over a SKU’s rows', () => {
  const two = supplyOf(
    1,
    [row({ available: 3 }), row({ node: 2, reserved: 4, shortfall: 2 })],
    [incoming({ available: 7 }), incoming({ detail: 2, committed: 3, shortfall: 1 })],
  );
  it('counts what is available, and nothing that has not come yet', () => expect(availableOf(two)).toBe(3));
  it('counts what is short, also of what has not come yet', () => expect(shortfallOf(two)).toBe(3));
  it('has nothing at a node without a row', () => {
    expect(rowAt(two, 9)).toEqual(emptyRow(stockAt(9)));
    expect(rowAt(supplyOf(1, [], NO_FUTURE), 1)).toEqual(emptyRow(stockAt(1)));
  });
  it.each<[string, SupplyPlace, unknown]>([
    ['what is there', stockAt(1), two.rows[0]],
    ['what is on its way, by what brings it', { ...ON_ITS_WAY, detail: 2 }, two.future[1]],
    ['nothing where nothing is on its way', { ...ON_ITS_WAY, detail: 3 }, emptyRow({ ...ON_ITS_WAY, detail: 3 })],
    ['nothing of an allowance that nobody has used', ALLOWANCE, emptyRow(ALLOWANCE)],
  ])('finds %s by its place', (_, at, found) => expect(rowOf(two, at)).toEqual(found));
});

describe('what limits the sale of a SKU', () => {
  const stops = [stop({ node: 3 })];

  it('stays with it when its rows change', () => {
    const draft = new SupplyDraft(suppliesOf(limited(available(1, [5]), stops, [{ node: 1, fence: 7, used: 1 }])));
    draft.change(1, stockAt(1), (r) => hold(r, 2));
    draft.useFence(1, 1, 7, 2);
    draft.useFence(1, 2, 7, 1);
    draft.change(1, stockAt(2), (r) => receive(r, 2));
    const fenceUses = [
      { node: 1, fence: 7, used: 3 },
      { node: 2, fence: 7, used: 1 },
    ];
    expect(draft.supply(1).limits).toEqual({ stops, fenceUses });
  });

  it('is nothing as long as nothing is charged', () => {
    const draft = new SupplyDraft(suppliesOf(available(1, [5])));
    draft.change(1, stockAt(1), (r) => hold(r, 2));
    draft.useFence(1, 1, 7, 0);
    expect('limits' in draft.supply(1)).toBe(false);
  });

  it('never gives back what was not charged', () => {
    const draft = new SupplyDraft(suppliesOf(available(1, [5])));
    expect(() => draft.useFence(1, 1, 7, -1)).toThrow('Broken invariant');
  });
});
