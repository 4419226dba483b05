import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { changedFenceUses, consequencesOf, leavesShort } from './consequences.ts';
import type { Posting } from './posting.ts';
import { type SupplyPlace, type SupplyRow, stockAt } from './supply-row.ts';
import { type SkuSupply, SupplyDraft, availableOf, rowOf, shortfallOf } from './supply.ts';
import {
  available,
  futureRow,
  incoming,
  limited,
  operate,
  operation,
  promising,
  row,
  suppliesOf,
  supplyOf,
  validRow,
} from './testing/arbitraries.ts';

const NODES = 4;

interface Changed {
  readonly before: SkuSupply;
  readonly after: SkuSupply;
  readonly postings: readonly Posting[];
}

const comingBy = (detail: number): SupplyPlace => ({ node: 1, kind: 'incoming', detail });
const change = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ at: fc.integer({ min: 1, max: NODES }).map(stockAt), done: operation }),
  },
  { weight: 1, arbitrary: fc.record({ at: fc.constantFrom(1, 2).map(comingBy), done: promising }) },
);

/** A supply of up to three nodes with what is on its way, and what became of it by changes at some of four. */
const changed: fc.Arbitrary<Changed> = fc
  .record({
    rows: fc.array(validRow, { maxLength: NODES - 1 }),
    future: fc.array(futureRow, { maxLength: 2 }),
    changes: fc.array(change, { maxLength: 6 }),
  })
  .map(({ rows, future, changes }) => {
    const before = supplyOf(
      1,
      rows.map((units, index) => ({ ...units, node: index + 1 })),
      future.map((units, index) => ({ ...units, ...comingBy(index + 1) })),
    );
    const draft = new SupplyDraft(suppliesOf(before));
    for (const { at, done } of changes) draft.change(1, at, (there) => operate(there, done));
    return { before, after: draft.supply(1), postings: draft.effect().postings };
  });
const whether = fc.boolean();
const of = (before: readonly SupplyRow[], after: readonly SupplyRow[], newlyShort = false) =>
  consequencesOf(supplyOf(1, before), supplyOf(1, after), { newlyShort });

describe('what follows from a changed SKU', () => {
  it('is nothing when nothing has changed, but for a look that is due', () => {
    fc.assert(
      fc.property(changed, whether, ({ before }, newlyShort) => {
        const { rows, needsLook } = consequencesOf(before, before, { newlyShort });
        expect(rows).toEqual([]);
        if (!newlyShort && availableOf(before) === 0) expect(needsLook).toBe(false);
      }),
    );
  });

  it('is to write the rows with which what was becomes what is, and no other', () => {
    fc.assert(
      fc.property(changed, whether, ({ before, after }, newlyShort) => {
        const { rows } = consequencesOf(before, after, { newlyShort });
        const nameOf = ({ kind, node, detail }: SupplyRow) => `${kind}/${node}/${detail}`;
        const written = new Map([...before.rows, ...before.future].map((one) => [nameOf(one), one]));
        for (const one of rows) {
          expect(written.get(nameOf(one))).not.toBe(one);
          written.set(nameOf(one), one);
        }
        const byKind = (kinds: readonly string[]) => [...written.values()].filter(({ kind }) => kinds.includes(kind));
        expect([byKind(['stock']), byKind(['incoming'])]).toEqual([after.rows, after.future]);
      }),
    );
  });

  it('is a look at promises only where some are short and could move, or were short', () => {
    fc.assert(
      fc.property(changed, whether, ({ before, after }, newlyShort) => {
        const { needsLook } = consequencesOf(before, after, { newlyShort });
        const all = [...after.rows, ...after.future];
        const isMended = all.some((one) => one.shortfall < rowOf(before, one).shortfall);
        const mayMove = shortfallOf(after) > 0 && (newlyShort || availableOf(after) > 0);
        expect(needsLook).toBe(isMended || mayMove);
      }),
    );
  });

  it('is a look that begins anew only where promises have lost units, or there are more units than there were', () => {
    fc.assert(
      fc.property(changed, whether, ({ before, after }, newlyShort) => {
        const isFreer = after.rows.some((one) => one.available > rowOf(before, one).available);
        expect(consequencesOf(before, after, { newlyShort }).beginsAnew).toBe(newlyShort || isFreer);
      }),
    );
  });

  it('is a look whenever a row is shorter than it was, as its postings tell', () => {
    fc.assert(
      fc.property(changed, ({ before, after, postings }) => {
        const all = [...after.rows, ...after.future];
        const isShorter = all.some((one) => one.shortfall > rowOf(before, one).shortfall);
        const newlyShort = postings.some(leavesShort);
        if (isShorter) expect(consequencesOf(before, after, { newlyShort }).needsLook).toBe(true);
      }),
    );
  });

  it('is a row of what is on its way to be written, like any other', () => {
    const [before, after] = [incoming({ available: 3 }), incoming({ available: 1, reserved: 2 })];
    const here = row({ available: 1 });
    const found = consequencesOf(supplyOf(1, [here], [before]), supplyOf(1, [here], [after]), { newlyShort: false });
    expect(found.rows).toEqual([after]);
  });

  const short = row({ committed: 3, shortfall: 2 });
  const free = row({ node: 2, available: 1 });
  it.each<[string, ReturnType<typeof of>, Partial<ReturnType<typeof of>>]>([
    ['a first row is to be written', of([], [free]), { rows: [free], needsLook: false }],
    [
      'a unit that is sold beside a shortfall lets a look go on',
      of([short, free], [short, { ...free, available: 0, reserved: 1 }]),
      { beginsAnew: false },
    ],
    ['a unit that turns up beside one does not', of([short], [short, free]), { beginsAnew: true }],
    ['a shortfall that stays as it was is not looked at again', of([short], [short]), { needsLook: false }],
    ['a new one is', of([row({ committed: 3 })], [short], true), { rows: [short], needsLook: true }],
    ['an old one is when a unit turns up elsewhere', of([short], [short, free]), { needsLook: true }],
    ['a smaller one is, for it was told', of([short], [row({ committed: 3, shortfall: 1 })]), { needsLook: true }],
    ['one that has ended is as well', of([short], [row({ committed: 3 })]), { needsLook: true }],
  ])('%s', (_, found, expected) => expect(found).toMatchObject(expected));
});

describe('fence uses', () => {
  it.each<[string, (draft: SupplyDraft) => void, readonly object[]]>([
    ['that stay are not told', () => undefined, []],
    ['that go up and down again are not', (draft) => [2, -2].forEach((units) => draft.useFence(1, 1, 7, units)), []],
    ['that change are', (draft) => draft.useFence(1, 1, 7, -3), [{ node: 1, fence: 7, used: 0 }]],
    ['that are new are', (draft) => draft.useFence(1, 2, 7, 4), [{ node: 2, fence: 7, used: 4 }]],
  ])('%s', (_, change, changed) => {
    const before = limited(available(1, [5]), [], [{ node: 1, fence: 7, used: 3 }]);
    const draft = new SupplyDraft(suppliesOf(before));
    change(draft);
    expect(changedFenceUses(before, draft.supply(1))).toEqual(changed);
  });
});
