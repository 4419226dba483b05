/**
 * Where units of an order are. An order has no status of its own that a split or a partial cancellation could make wrong: each quantity of
 * a line is in one bucket, and statuses are derived from them (`status.ts`).
 */

/** In the order of a unit's way; of each bucket, whether its units belong to a fulfilment, and where they may go from there. */
const TABLE = {
  /** Backed by stock, and given to no node. */
  unallocated: { at: 'none', to: ['allocated', 'unbacked', 'backordered', 'cancelled'] },
  /** Nothing stands behind them. */
  unbacked: { at: 'none', to: ['unallocated', 'allocated', 'backordered', 'cancelled'] },
  /** Backed by units that are to come. */
  backordered: { at: 'none', to: ['unallocated', 'allocated', 'unbacked', 'cancelled'] },
  allocated: {
    at: 'fulfilment',
    to: ['allocated', 'at_node', 'unallocated', 'unbacked', 'backordered', 'cancelled', 'shipped', 'picked_up'],
  },
  at_node: { at: 'fulfilment', to: ['picked', 'unallocated', 'unbacked', 'cancelled', 'shipped', 'picked_up'] },
  picked: {
    at: 'fulfilment',
    to: ['packed', 'ready_for_pickup', 'at_node', 'unallocated', 'unbacked', 'cancelled', 'shipped', 'picked_up'],
  },
  packed: { at: 'fulfilment', to: ['shipped', 'picked', 'unallocated', 'unbacked', 'cancelled', 'picked_up'] },
  /** Of the pickup store's own stock. */
  ready_for_pickup: { at: 'fulfilment', to: ['picked_up', 'unallocated', 'unbacked', 'cancelled'] },
  /** Back to packed: the shipment is undone. */
  shipped: { at: 'fulfilment', to: ['delivered', 'arrived', 'picked_up', 'packed', 'returned'] },
  /** The parcel is at the pickup store; its units are never that store's stock. */
  arrived: { at: 'fulfilment', to: ['picked_up', 'returned'] },
  delivered: { at: 'fulfilment', to: ['returned'] },
  /** Back to ready or arrived: the hand-over is undone. */
  picked_up: { at: 'fulfilment', to: ['ready_for_pickup', 'arrived', 'returned'] },
  returned: { at: 'fulfilment', to: [] },
  cancelled: { at: 'none', to: [] },
} as const satisfies Readonly<Record<string, { readonly at: 'none' | 'fulfilment'; readonly to: readonly string[] }>>;

export type Bucket = keyof typeof TABLE;

export const BUCKETS = Object.freeze(Object.keys(TABLE)) as readonly Bucket[];

/** Units there belong to a fulfilment; elsewhere to none. */
export const isOfFulfilment = (bucket: Bucket): boolean => TABLE[bucket].at === 'fulfilment';

/** Where units of a bucket may go. Within `allocated` they go to another fulfilment. */
export const waysFrom = (bucket: Bucket): readonly Bucket[] => TABLE[bucket].to;

export const mayMove = (from: Bucket, to: Bucket): boolean => waysFrom(from).includes(to);

/** From which on the shopper or a carrier has the units: availability has counted them as fulfilled. */
const FULFILLED: ReadonlySet<Bucket> = new Set(['shipped', 'arrived', 'delivered', 'picked_up', 'returned']);
export const isFulfilled = (bucket: Bucket): boolean => FULFILLED.has(bucket);
