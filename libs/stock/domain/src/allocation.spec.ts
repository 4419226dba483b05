import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type AllocationPolicy,
  type AllocationSorter,
  type Destination,
  allocationOf,
  explainAllocation,
  policyOf,
} from './allocation.ts';
import {
  DEFAULT_ALLOCATION,
  distanceKm,
  hasUnits,
  lowestKey,
  mostAvailable,
  nearest,
  servesAlone,
} from './allocation-rules.ts';
import type { NodeAtp } from './atp.ts';
import { type SellingNode, SellingRules } from './selling-rules.ts';
import { notAt, sellingNode } from './testing/arbitraries.ts';

const berlin = { lat: 52.52, lng: 13.405 };
/** Munich, Hamburg, nowhere; further keys are in no catalogue. */
const placed: readonly SellingNode[] = [
  sellingNode(1, { lat: 48.137, lng: 11.575 }),
  sellingNode(2, { lat: 53.551, lng: 9.993 }),
  sellingNode(3),
];
const rules = new SellingRules(placed, [], []);

const demandOf = (quantity: number, destination: Destination | null = null) => ({ quantity, destination, rules });
const at = (...atps: readonly number[]): NodeAtp[] => atps.map((atp, index) => ({ node: index + 1, atp }));
const quantities = fc.nat(40);
const nodeAtps = fc.uniqueArray(fc.record({ node: fc.integer({ min: 1, max: 9 }), atp: fc.nat(9) }), {
  selector: ({ node }) => node,
  maxLength: 7,
});
const coordinate = fc.integer({ min: -3, max: 3 });
/** Few places, so that many nodes are equally near, and some that are nowhere. */
const worlds = fc
  .record({
    nodes: nodeAtps,
    quantity: quantities,
    destination: fc.option(fc.record({ lat: coordinate, lng: coordinate })),
    places: fc.array(fc.record({ lat: fc.option(coordinate), lng: fc.option(coordinate) }), { maxLength: 8 }),
  })
  .map(({ nodes, quantity, destination, places }) => {
    const catalogue = new SellingRules(
      places.map((place, index) => sellingNode(index + 1, place)),
      [],
      [],
    );
    return { nodes, demand: { quantity, destination, rules: catalogue } };
  });

const highestKey: AllocationSorter = { kind: 'sorter', name: 'highest_key', orderFor: () => (a, b) => b.node - a.node };
const policies = fc
  .tuple(
    fc.subarray([hasUnits, notAt(2), notAt(5)]),
    fc.shuffledSubarray([servesAlone, nearest, mostAvailable, highestKey]),
  )
  .map(([filters, sorters]): AllocationPolicy => policyOf([...filters, ...sorters, lowestKey]));

describe('the default policy', () => {
  it.each<[string, number, readonly number[], Destination | null, string, number]>([
    ['nothing from nowhere', 0, [], null, '', 0],
    ['nothing from somewhere is no allocation', 0, [5], null, '', 0],
    ['something from nowhere', 3, [], null, '', 3],
    ['one node that has less', 3, [2], null, '2 of 1', 1],
    ['one node that covers it exactly', 3, [3], null, '3 of 1', 0],
    ['one node without units', 3, [0], null, '', 3],
    ['the one that serves it alone', 5, [4, 5], null, '5 of 2', 0],
    ['the most available of two that could serve it alone', 2, [4, 5], null, '2 of 2', 0],
    ['the lowest key of two that have as much', 2, [5, 5], null, '2 of 1', 0],
    ['several, the most available first, when none serves alone', 6, [4, 5], null, '5 of 2, 1 of 1', 0],
    ['all there is, and a leftover', 12, [4, 5], null, '5 of 2, 4 of 1', 3],
    ['no node without units', 9, [4, 0, 5], null, '5 of 3, 4 of 1', 0],
    ['the nearest of two that could serve it alone', 1, [9, 1], berlin, '1 of 2', 0],
    ['a far one that serves it alone before a near one that does not', 2, [9, 1], berlin, '2 of 1', 0],
    ['the nearest first when none serves alone', 9, [8, 1, 3], berlin, '1 of 2, 8 of 1', 0],
    ['a node without coordinates last', 100, [1, 1, 90], berlin, '1 of 2, 1 of 1, 90 of 3', 8],
    ['of those without coordinates the most available first', 9, [0, 0, 2, 4, 2], berlin, '4 of 4, 2 of 3, 2 of 5', 1],
  ])('takes %s', (_, quantity, atps, destination, taken, leftover) => {
    const found = allocationOf(DEFAULT_ALLOCATION, demandOf(quantity, destination), at(...atps));
    expect(found.allocations.map(({ node, quantity: units }) => `${units} of ${node}`).join(', ')).toBe(taken);
    expect(found.leftover).toBe(leftover);
  });

  it('takes what the rule did that was one before policies were', () => {
    fc.assert(
      fc.property(worlds, ({ nodes, demand }) => {
        expect(allocationOf(DEFAULT_ALLOCATION, demand, nodes)).toEqual(firstRule(demand, nodes));
      }),
      { numRuns: 2_000 },
    );
  });

  it('splits a line only when no node can serve it alone, and then among the fewest that can', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), nodeAtps, (quantity, nodes) => {
        const largest = nodes.map(({ atp }) => atp).toSorted((a, b) => b - a);
        const needed = largest.findIndex((_, i) => largest.slice(0, i + 1).reduce((a, b) => a + b, 0) >= quantity) + 1;
        fc.pre(needed > 0);
        const { allocations } = allocationOf(DEFAULT_ALLOCATION, demandOf(quantity), nodes);
        expect(allocations).toHaveLength(needed);
      }),
    );
  });
});

/** Ranks nodes, then lets the first serve alone that can, or takes what each has. */
function firstRule({ quantity: desired, destination, rules: known }: ReturnType<typeof demandOf>, nodes: NodeAtp[]) {
  const kilometres = (node: number): number => {
    const place = destination && known.nodes.get(node);
    return place && place.lat !== null && place.lng !== null
      ? distanceKm(destination, { lat: place.lat, lng: place.lng })
      : Number.POSITIVE_INFINITY;
  };
  const ranked = nodes.toSorted((a, b) => {
    const nearer = destination ? kilometres(a.node) - kilometres(b.node) : 0;
    return (Number.isNaN(nearer) ? 0 : nearer) || b.atp - a.atp || a.node - b.node;
  });
  if (desired === 0) return { allocations: [], leftover: 0 };
  const whole = ranked.find(({ atp }) => atp >= desired);
  if (whole) return { allocations: [{ node: whole.node, quantity: desired }], leftover: 0 };
  const allocations: { node: number; quantity: number }[] = [];
  let leftover = desired;
  for (const { node, atp } of ranked) {
    const quantity = Math.min(atp, leftover);
    if (quantity > 0) allocations.push({ node, quantity });
    leftover -= quantity;
  }
  return { allocations, leftover };
}

describe('any policy', () => {
  it('allocates and leaves over together what was desired', () => {
    fc.assert(
      fc.property(policies, worlds, (policy, { nodes, demand }) => {
        const { allocations, leftover } = allocationOf(policy, demand, nodes);
        expect(allocations.reduce((sum, { quantity }) => sum + quantity, leftover)).toBe(demand.quantity);
        expect(leftover).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('gives each node once, at least a unit and never above its ATP', () => {
    fc.assert(
      fc.property(policies, worlds, (policy, { nodes, demand }) => {
        const { allocations } = allocationOf(policy, demand, nodes);
        expect(new Set(allocations.map(({ node }) => node)).size).toBe(allocations.length);
        for (const { node, quantity } of allocations) {
          expect(quantity).toBeGreaterThan(0);
          expect(quantity).toBeLessThanOrEqual(nodes.find((one) => one.node === node)!.atp);
        }
      }),
    );
  });

  it('leaves nothing over that an accepted node still has', () => {
    fc.assert(
      fc.property(policies, worlds, (policy, { nodes, demand }) => {
        const { leftover, ranked } = explainAllocation(policy, demand, nodes);
        const there = ranked.reduce((sum, { atp }) => sum + atp, 0);
        expect(leftover).toBe(Math.max(0, demand.quantity - there));
      }),
    );
  });

  it('has one order, whatever order it is given', () => {
    fc.assert(
      fc.property(
        policies,
        worlds.chain((world) =>
          fc.tuple(fc.constant(world), fc.shuffledSubarray(world.nodes, { minLength: world.nodes.length })),
        ),
        (policy, [{ nodes, demand }, shuffled]) => {
          expect(allocationOf(policy, demand, shuffled)).toEqual(allocationOf(policy, demand, nodes));
          expect(explainAllocation(policy, demand, shuffled).ranked).toEqual(
            explainAllocation(policy, demand, nodes).ranked,
          );
        },
      ),
    );
  });
});

describe('an explanation', () => {
  it('is of the allocation that holds get', () => {
    fc.assert(
      fc.property(policies, worlds, (policy, { nodes, demand }) => {
        const { allocations, leftover, ranked } = explainAllocation(policy, demand, nodes);
        expect({ allocations, leftover }).toEqual(allocationOf(policy, demand, nodes));
        const taken = ranked.filter(({ quantity }) => quantity > 0).map(({ node, quantity }) => ({ node, quantity }));
        expect(taken).toEqual(allocations);
      }),
    );
  });

  it('speaks of each node once, as refused or as ranked, and says of each but the last why it is before the next', () => {
    fc.assert(
      fc.property(policies, worlds, (policy, { nodes, demand }) => {
        const { refused, ranked } = explainAllocation(policy, demand, nodes);
        const named = [...refused, ...ranked].map(({ node }) => node).toSorted();
        expect(named).toEqual(nodes.map(({ node }) => node).toSorted());
        const names = policy.sorters.map(({ name }) => name);
        for (const { before } of ranked.slice(0, -1)) expect(names).toContain(before);
        expect(ranked.at(-1)?.before ?? null).toBeNull();
      }),
    );
  });

  it.each<[string, number, readonly number[], Destination | null, string]>([
    ['what it serves alone', 5, [4, 5], null, '2 serves_alone 1'],
    ['its distance', 1, [9, 1], berlin, '2 nearest 1'],
    ['its units', 1, [3, 5], null, '2 most_available 1'],
    ['its key', 1, [3, 3], null, '1 lowest_key 2'],
    ['nothing when it is alone', 1, [3], null, '1'],
    ['what tells it from the next, node by node', 4, [1, 5, 1], null, '2 serves_alone 1 lowest_key 3'],
  ])('tells that a node is before the next for %s', (_, quantity, atps, destination, order) => {
    const { ranked } = explainAllocation(DEFAULT_ALLOCATION, demandOf(quantity, destination), at(...atps));
    expect(ranked.flatMap(({ node, before }) => [node, before ?? []].flat()).join(' ')).toBe(order);
  });

  it('tells which rule refused a node first, and with what words', () => {
    const policy = policyOf([notAt(1), hasUnits, mostAvailable, lowestKey]);
    expect(explainAllocation(policy, demandOf(2), at(0, 0, 7)).refused).toEqual([
      { node: 1, rule: 'not_at_1', rejection: { code: 'node.closed', message: 'node 1 is closed' } },
      { node: 2, rule: 'has_units', rejection: { code: 'node.no_units', message: expect.any(String) } },
    ]);
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
