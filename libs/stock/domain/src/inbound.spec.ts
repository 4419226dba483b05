import { describe, expect, it } from '@jest/globals';
import { type InboundLine, inboundLineOf, isOverdue, isSpent, onTheWay } from './inbound.ts';
import { SupplyDraft, noSupply, rowOf } from './supply.ts';
import { NOW, inboundLine, incoming, suppliesOf } from './testing/arbitraries.ts';

describe('a line that brings units', () => {
  it.each<[string, Partial<InboundLine>, boolean]>([
    ['is due later', { dueAt: NOW + 1 }, false],
    ['is due now', { dueAt: NOW }, false],
    ['was due', { dueAt: NOW - 1 }, true],
    ['has no time', { dueAt: null }, false],
    ['is closed, so that it brings no more', { dueAt: NOW + 1, isClosed: true }, true],
  ])('%s', (_, over, expected) => expect(isOverdue(inboundLine(over), NOW)).toBe(expected));

  it.each<[string, boolean, ReturnType<typeof incoming>, boolean]>([
    ['open', false, incoming(), false],
    ['closed, and nobody is promised any of it', true, incoming(), true],
    ['closed, with promises that are short', true, incoming({ committed: 1, shortfall: 1 }), false],
  ])('is done with when it is %s', (_, isClosed, row, expected) =>
    expect(isSpent(inboundLine({ isClosed }), row)).toBe(expected),
  );

  it('comes with the supply of its SKU, or its row may not be judged', () => {
    expect(inboundLineOf(1, [inboundLine({ detail: 4 })], 4).detail).toBe(4);
    expect(() => inboundLineOf(1, [inboundLine({ detail: 4 })], 5)).toThrow(/line 5 of SKU 1/);
  });

  it('is announced once, and again when something else is said of it', () => {
    const draft = new SupplyDraft(suppliesOf(noSupply(1)));
    draft.setLine(1, inboundLine({ detail: 4, dueAt: 5 }));
    draft.setLine(1, inboundLine({ detail: 6 }));
    draft.setLine(1, inboundLine({ detail: 4, dueAt: 7 }));
    const { inbound } = draft.supply(1);
    expect(inbound.map(({ detail, dueAt }) => [detail, dueAt])).toEqual([
      [4, 7],
      [6, NOW],
    ]);
    expect(rowOf(draft.supply(1), onTheWay(inboundLine({ detail: 4 })))).toMatchObject({
      kind: 'incoming',
      node: 1,
      detail: 4,
    });
    expect(draft.effect().postings).toEqual([]);
  });
});
