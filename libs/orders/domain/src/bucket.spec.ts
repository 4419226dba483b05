import { describe, expect, it } from '@jest/globals';
import { BUCKETS, type Bucket, isFulfilled, isOfFulfilment, mayMove, waysFrom } from './bucket.ts';

const reachableFrom = (start: Bucket): ReadonlySet<Bucket> => {
  const found = new Set<Bucket>([start]);
  for (const bucket of found) for (const next of waysFrom(bucket)) found.add(next);
  return found;
};

describe('buckets', () => {
  it('name only buckets as the next', () => {
    for (const bucket of BUCKETS) expect(BUCKETS).toEqual(expect.arrayContaining([...waysFrom(bucket)]));
  });

  it.each(['unallocated', 'unbacked', 'backordered'] as const)('are all reached from %s', (start) => {
    expect([...reachableFrom(start)].sort()).toEqual([...BUCKETS].sort());
  });

  it('end in cancelled and returned, and nowhere else', () => {
    expect(BUCKETS.filter((bucket) => waysFrom(bucket).length === 0)).toEqual(['returned', 'cancelled']);
  });

  it('lead to an end from everywhere', () => {
    for (const bucket of BUCKETS)
      expect(['cancelled', 'returned'].some((end) => reachableFrom(bucket).has(end as Bucket))).toBe(true);
  });

  it('let nothing be cancelled that the shopper or a carrier has', () => {
    for (const bucket of BUCKETS.filter(isFulfilled)) expect(mayMove(bucket, 'cancelled')).toBe(false);
  });

  it('let units leave a node that has them only by its answer, never for another node at once', () => {
    for (const bucket of ['at_node', 'picked', 'packed', 'ready_for_pickup'] as const)
      expect(mayMove(bucket, 'allocated')).toBe(false);
  });

  it('of units that nobody works on belong to no fulfilment', () => {
    expect(BUCKETS.filter((bucket) => !isOfFulfilment(bucket))).toEqual([
      'unallocated',
      'unbacked',
      'backordered',
      'cancelled',
    ]);
  });
});
