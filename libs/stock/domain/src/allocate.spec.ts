import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { allocate, distanceKm, rankNodes } from './allocate.ts';
import { type SellingNode, SellingRules } from './selling-rules.ts';
import { sellingNode } from './testing/arbitraries.ts';

const nodeAtps = fc.uniqueArray(fc.record({ node: fc.integer({ min: 1, max: 9 }), atp: fc.nat(9) }), {
  selector: ({ node }) => node,
  maxLength: 6,
});
const at = (...atps: readonly number[]) => atps.map((atp, index) => ({ node: index + 1, atp }));

describe('allocating a desired quantity', () => {
  it.each<[string, number, readonly number[], readonly (readonly [number, number])[], number]>([
    ['nothing from nowhere', 0, [], [], 0],
    ['nothing from somewhere is no allocation', 0, [5], [], 0],
    ['something from nowhere', 3, [], [], 3],
    ['one node that covers it exactly', 3, [3], [[1, 3]], 0],
    ['a later node that serves it alone', 5, [4, 5], [[2, 5]], 0],
    ['the first of two that could serve it alone', 2, [4, 5], [[1, 2]], 0],
    [
      'several nodes, in rank, when none serves alone',
      6,
      [4, 5],
      [
        [1, 4],
        [2, 2],
      ],
      0,
    ],
    [
      'all there is, and a leftover',
      12,
      [4, 5],
      [
        [1, 4],
        [2, 5],
      ],
      3,
    ],
    [
      'no node without units',
      6,
      [4, 0, 5],
      [
        [1, 4],
        [3, 2],
      ],
      0,
    ],
  ])('%s', (_, desired, atps, expected, leftover) => {
    const allocations = expected.map(([node, quantity]) => ({ node, quantity }));
    expect(allocate(desired, at(...atps))).toEqual({ allocations, leftover });
  });

  it('allocates and leaves over together what was desired', () => {
    fc.assert(
      fc.property(fc.nat(40), nodeAtps, (desired, ranked) => {
        const { allocations, leftover } = allocate(desired, ranked);
        const there = ranked.reduce((sum, { atp }) => sum + atp, 0);
        expect(allocations.reduce((sum, { quantity }) => sum + quantity, leftover)).toBe(desired);
        expect(leftover).toBe(Math.max(0, desired - there));
      }),
    );
  });

  it('gives each node once, at least a unit and never above its ATP', () => {
    fc.assert(
      fc.property(fc.nat(40), nodeAtps, (desired, ranked) => {
        const { allocations } = allocate(desired, ranked);
        expect(new Set(allocations.map(({ node }) => node)).size).toBe(allocations.length);
        for (const { node, quantity } of allocations) {
          expect(quantity).toBeGreaterThan(0);
          expect(quantity).toBeLessThanOrEqual(ranked.find((ranking) => ranking.node === node)!.atp);
        }
      }),
    );
  });

  it('splits a line only when no node can serve it alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), nodeAtps, (desired, ranked) => {
        const alone = ranked.find(({ atp }) => atp >= desired);
        const { allocations } = allocate(desired, ranked);
        if (alone) return expect(allocations).toEqual([{ node: alone.node, quantity: desired }]);
        for (const { node, quantity } of allocations.slice(0, -1)) {
          expect(quantity).toBe(ranked.find((ranking) => ranking.node === node)!.atp);
        }
      }),
    );
  });

  it('uses the fewest nodes that can cover it, when the most available rank first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), nodeAtps, (desired, nodes) => {
        const largest = nodes.map(({ atp }) => atp).toSorted((a, b) => b - a);
        const needed = largest.findIndex((_, i) => largest.slice(0, i + 1).reduce((a, b) => a + b, 0) >= desired) + 1;
        fc.pre(needed > 0);
        expect(allocate(desired, rankNodes(nodes, new SellingRules([], [], []), null)).allocations).toHaveLength(
          needed,
        );
      }),
    );
  });
});

describe('ranking nodes', () => {
  const berlin = { lat: 52.52, lng: 13.405 };
  const placed = (key: number, over: Partial<SellingNode>) => sellingNode(key, over);
  const rules = new SellingRules(
    [placed(1, { lat: 48.137, lng: 11.575 }), placed(2, { lat: 53.551, lng: 9.993 }), placed(3, {})],
    [],
    [],
  );
  const order = (nodes: readonly { node: number; atp: number }[], destination: typeof berlin | null) =>
    rankNodes(nodes, rules, destination).map(({ node }) => node);

  it('puts the most available first without a destination', () => expect(order(at(1, 9, 5), null)).toEqual([2, 3, 1]));
  it('breaks a tie by key', () => expect(order(at(5, 5, 5).toReversed(), null)).toEqual([1, 2, 3]));
  it('puts the nearest first with a destination', () => expect(order(at(9, 1), berlin)).toEqual([2, 1]));
  it('puts a node without coordinates last', () => expect(order(at(1, 1, 99), berlin)).toEqual([2, 1, 3]));
  it('ranks nodes without coordinates by what they have', () => {
    const strays = [
      { node: 8, atp: 1 },
      { node: 7, atp: 4 },
      { node: 1, atp: 1 },
    ];
    expect(order(strays, berlin)).toEqual([1, 7, 8]);
  });
  it('gives the same order whatever order it is given', () => {
    fc.assert(
      fc.property(nodeAtps, fc.constantFrom(berlin, null), (nodes, destination) => {
        expect(order(nodes.toReversed(), destination)).toEqual(order(nodes, destination));
      }),
    );
  });
});

describe('distance', () => {
  it.each<[string, number, number, number, number, number]>([
    ['one place', 10, 20, 10, 20, 0],
    ['a quarter of the equator', 0, 0, 0, 90, 10_008],
    ['across the date line', 0, 179, 0, -179, 222],
    ['pole to pole', 90, 0, -90, 0, 20_015],
    ['New York to Los Angeles', 40.7128, -74.006, 34.0522, -118.2437, 3_936],
  ])('of %s', (_, lat, lng, toLat, toLng, km) => {
    expect(Math.round(distanceKm({ lat, lng }, { lat: toLat, lng: toLng }))).toBe(km);
  });
});
