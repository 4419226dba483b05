import { describe, expect, it } from '@jest/globals';
import { NO_AMOUNTS } from '@onepool/money';
import fc from 'fast-check';
import { BUCKETS, type Bucket, isOfFulfilment } from './bucket.ts';
import type { Part } from './parts.ts';
import { type Delivery, endOf, fulfilmentStatusOf } from './status.ts';

const part = (bucket: Bucket, quantity = 1, line = 0): Part => ({
  ...{ line, component: 0, bucket, quantity, amounts: NO_AMOUNTS },
  fulfilment: isOfFulfilment(bucket) ? 1 : null,
});
const look = (buckets: readonly Bucket[], delivery: Delivery, isBlocked = false) => {
  const parts = buckets.map((bucket, line) => part(bucket, 1, line));
  const input = { parts, deliveryOf: () => delivery, isBlocked };
  return [fulfilmentStatusOf(input), endOf(input)];
};

describe('the fulfilment status and the end of an order', () => {
  it.each<[readonly Bucket[], Delivery, string, string | null]>([
    [['unallocated', 'unallocated'], 'ship', 'unfulfilled', null],
    [['allocated', 'unbacked'], 'ship', 'unfulfilled', null],
    [['at_node', 'backordered'], 'ship', 'in_progress', null],
    [['packed', 'packed'], 'ship', 'in_progress', null],
    // spree#12258, commerce-core#15
    [['shipped', 'allocated'], 'ship', 'partially_fulfilled', null],
    [['delivered', 'backordered'], 'ship', 'partially_fulfilled', null],
    [['shipped', 'delivered'], 'ship', 'fulfilled', 'completed'],
    [['shipped', 'cancelled'], 'ship', 'fulfilled', 'completed'],
    [['cancelled', 'cancelled'], 'ship', 'restocked', 'cancelled'],
    [['returned', 'cancelled'], 'ship', 'restocked', 'completed'],
    [['returned', 'delivered'], 'ship', 'fulfilled', 'completed'],
    [['ready_for_pickup', 'ready_for_pickup'], 'pickup', 'ready_for_pickup', null],
    [['ready_for_pickup', 'at_node'], 'pickup', 'in_progress', null],
    [['picked_up', 'ready_for_pickup'], 'pickup', 'partially_fulfilled', null],
    // bopis#706: arrival at the store is no hand-over
    [['shipped', 'shipped'], 'pickup', 'in_progress', null],
    [['arrived', 'arrived'], 'pickup', 'ready_for_pickup', null],
    [['picked_up', 'picked_up'], 'pickup', 'fulfilled', 'completed'],
    // Nothing of it needs a node.
    [[], 'ship', 'fulfilled', 'completed'],
  ])('of units that are %j, to %s, are %s and %s', (buckets, delivery, status, end) => {
    expect(look(buckets, delivery)).toEqual([status, end]);
  });

  it('say that it is on hold while nothing has been handed over', () => {
    expect(look(['unallocated', 'at_node'], 'ship', true)).toEqual(['on_hold', null]);
    expect(look(['unallocated', 'shipped'], 'ship', true)).toEqual(['partially_fulfilled', null]);
    expect(look(['shipped'], 'ship', true)).toEqual(['fulfilled', 'completed']);
  });

  it('agree: an order has ended if, and only if, it is fulfilled or restocked', () => {
    const buckets = fc.array(fc.constantFrom(...BUCKETS), { maxLength: 6 });
    fc.assert(
      fc.property(buckets, fc.constantFrom<Delivery>('ship', 'pickup'), fc.boolean(), (all, delivery, isBlocked) => {
        const [status, end] = look(all, delivery, isBlocked);
        expect(end !== null).toBe(status === 'fulfilled' || status === 'restocked');
      }),
    );
  });
});
