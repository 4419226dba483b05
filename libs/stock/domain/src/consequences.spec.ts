import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { consequencesOf, leavesShort } from './consequences.ts';
import type { Posting } from './posting.ts';
import type { SupplyRow } from './supply-row.ts';
import { type SkuSupply, SupplyDraft, availableOf, rowAt, shortfallOf } from './supply.ts';
import { operate, operation, row, suppliesOf, supplyOf, validRow } from './testing/arbitraries.ts';

const NODES = 4;

interface Changed {
  readonly before: SkuSupply;
  readonly after: SkuSupply;
  readonly postings: readonly Posting[];
}

/** A supply of up to three nodes, and what became of it by changes at some of four. */
const changed: fc.Arbitrary<Changed> = fc
  .record({
    rows: fc.array(validRow, { maxLength: NODES - 1 }),
    changes: fc.array(fc.record({ node: fc.integer({ min: 1, max: NODES }), done: operation }), { maxLength: 6 }),
  })
  .map(({ rows, changes }) => {
    const before = supplyOf(
      1,
      rows.map((units, index) => ({ ...units, node: index + 1 })),
    );
    const draft = new SupplyDraft(suppliesOf(before));
    for (const { node, done } of changes) draft.change(1, node, (there) => operate(there, done));
    return { before, after: draft.supply(1), postings: draft.effect().postings };
  });
const whether = fc.boolean();
const of = (before: readonly SupplyRow[], after: readonly SupplyRow[], newlyShort = false) =>
  consequencesOf(supplyOf(1, before), supplyOf(1, after), { newlyShort });

describe('what follows from a changed SKU', () => {
  it('is nothing when nothing has changed, but for a look that is due', () => {
    fc.assert(
      fc.property(changed, whether, ({ before }, newlyShort) => {
        const { rows, mended } = consequencesOf(before, before, { newlyShort });
        expect([rows, mended]).toEqual([[], []]);
      }),
    );
  });

  it('is to write the rows with which what was becomes what is, and no other', () => {
    fc.assert(
      fc.property(changed, whether, ({ before, after }, newlyShort) => {
        const { rows } = consequencesOf(before, after, { newlyShort });
        const written = new Map(before.rows.map((one) => [one.node, one]));
        for (const one of rows) {
          expect(written.get(one.node)).not.toBe(one);
          written.set(one.node, one);
        }
        expect([...written.values()]).toEqual(after.rows);
      }),
    );
  });

  it('is a look at promises only while some are short', () => {
    fc.assert(
      fc.property(changed, whether, ({ before, after }, newlyShort) => {
        const { needsRebacking } = consequencesOf(before, after, { newlyShort });
        if (shortfallOf(after) === 0) expect(needsRebacking).toBe(false);
        else expect(needsRebacking).toBe(newlyShort || availableOf(after) > 0);
      }),
    );
  });

  it('is a look whenever a row is shorter than it was, as its postings tell', () => {
    fc.assert(
      fc.property(changed, ({ before, after, postings }) => {
        const isShorter = after.rows.some((one) => one.shortfall > rowAt(before, one.node).shortfall);
        const newlyShort = postings.some(leavesShort);
        if (isShorter) expect(consequencesOf(before, after, { newlyShort }).needsRebacking).toBe(true);
      }),
    );
  });

  it('mends exactly the rows whose shortfall is smaller, to what is left of it', () => {
    fc.assert(
      fc.property(changed, whether, ({ before, after }, newlyShort) => {
        const smaller = after.rows.filter((one) => one.shortfall < rowAt(before, one.node).shortfall);
        const { mended, rows } = consequencesOf(before, after, { newlyShort });
        expect(mended).toEqual(smaller.map(({ node, shortfall }) => ({ node, quantity: shortfall })));
        for (const one of smaller) expect(rows).toContain(one);
      }),
    );
  });

  const short = row({ committed: 3, shortfall: 2 });
  const free = row({ node: 2, available: 1 });
  it.each<[string, ReturnType<typeof of>, Partial<ReturnType<typeof of>>]>([
    ['a first row is to be written', of([], [free]), { rows: [free], needsRebacking: false, mended: [] }],
    ['a shortfall that stays as it was is not looked at again', of([short], [short]), { needsRebacking: false }],
    ['a new one is', of([row({ committed: 3 })], [short], true), { rows: [short], needsRebacking: true, mended: [] }],
    ['an old one is when a unit turns up elsewhere', of([short], [short, free]), { needsRebacking: true }],
    [
      'a smaller one is mended to what is left',
      of([short], [row({ committed: 3, shortfall: 1 })]),
      { needsRebacking: false, mended: [{ node: 1, quantity: 1 }] },
    ],
    [
      'one that has ended is mended to nothing',
      of([short], [row({ committed: 3 })]),
      { needsRebacking: false, mended: [{ node: 1, quantity: 0 }] },
    ],
  ])('%s', (_, found, expected) => expect(found).toMatchObject(expected));
});
