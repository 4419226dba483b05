import { describe, expect, it } from '@jest/globals';
import { decideExpect } from './decide-expect.ts';
import type { SupplyRow } from './supply-row.ts';
import { rowOf, suppliesAfter } from './supply.ts';
import { onTheWay } from './inbound.ts';
import { NOW, incoming, suppliesOf, supplyOf } from './testing/arbitraries.ts';
import { line } from './testing/waiting.ts';

const announce = (before: Partial<SupplyRow> | null, expected: number, over: Parameters<typeof line>[1] = {}) => {
  const known = before ? supplyOf(1, [], [incoming(before)], [line(1)]) : supplyOf(1, []);
  const supplies = suppliesOf(known);
  const effect = decideExpect(1, line(1, over), expected, supplies);
  const after = suppliesAfter(supplies, effect).get(1)!;
  return { row: rowOf(after, onTheWay(line(1))), lines: after.inbound, postings: effect.postings.length };
};

describe('a line', () => {
  it.each<[string, Partial<SupplyRow> | null, number, Parameters<typeof line>[1], Partial<SupplyRow>]>([
    ['is announced', null, 5, {}, { available: 5 }],
    ['brings more than was announced', { available: 2, committed: 3 }, 7, {}, { available: 4, committed: 3 }],
    ['brings more, which heals first', { committed: 3, shortfall: 2 }, 4, {}, { available: 1, committed: 3 }],
    ['brings fewer', { available: 2, committed: 3 }, 4, {}, { available: 1, committed: 3 }],
    ['brings fewer than were promised', { available: 2, committed: 3 }, 1, {}, { committed: 3, shortfall: 2 }],
    [
      'brings damaged units as well, of which nothing is said',
      { available: 2, damaged: 1 },
      1,
      {},
      { available: 1, damaged: 1 },
    ],
    ['is closed', { available: 2, committed: 3 }, 5, { isClosed: true }, { committed: 3, shortfall: 3 }],
  ])('%s', (_, before, expected, over, after) => {
    const { row, lines } = announce(before, expected, over);
    expect([row, lines]).toEqual([incoming(after), [line(1, over)]]);
  });

  it('is due at another time, and brings what it did', () => {
    const { row, lines, postings } = announce({ available: 2 }, 2, { dueAt: NOW + 77 });
    expect([row, lines[0]?.dueAt, postings]).toEqual([incoming({ available: 2 }), NOW + 77, 0]);
  });

  it('never goes to another node', () =>
    expect(() => decideExpect(1, { ...line(1), node: 2 }, 1, suppliesOf(supplyOf(1, [], [], [line(1)])))).toThrow(
      /another node/,
    ));
});
