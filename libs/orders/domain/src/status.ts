/** What is derived from where the units are; nothing of it is stored. */
import { type Bucket, isFulfilled } from './bucket.ts';
import type { Part } from './parts.ts';

/** Shopify's names. */
export type FulfilmentStatus =
  | 'unfulfilled'
  | 'on_hold'
  | 'in_progress'
  | 'ready_for_pickup'
  | 'partially_fulfilled'
  | 'fulfilled'
  /** Nothing is left to do, and nobody has got anything. */
  | 'restocked';

/** How a line reaches the shopper: by a carrier, or from a store that may get it by one. */
export type Delivery = 'ship' | 'pickup';

export interface StatusInput {
  readonly parts: readonly Part[];
  /** Of the lines, by their number. */
  readonly deliveryOf: (line: number) => Delivery;
  /** A block stops work on all that is left. */
  readonly isBlocked: boolean;
}

/** The shopper has the units, or had them. A parcel on its way to a pickup store, or lying there, is not handed over. */
const isHandedOver = (bucket: Bucket, delivery: Delivery): boolean =>
  isFulfilled(bucket) && !(delivery === 'pickup' && (bucket === 'shipped' || bucket === 'arrived'));

const WORKED_ON: ReadonlySet<Bucket> = new Set(['at_node', 'picked', 'packed', 'shipped']);
const WAITS_FOR_SHOPPER: ReadonlySet<Bucket> = new Set(['ready_for_pickup', 'arrived']);

export function fulfilmentStatusOf({ parts, deliveryOf, isBlocked }: StatusInput): FulfilmentStatus {
  const wanted = parts.filter(({ bucket }) => bucket !== 'cancelled');
  const open = wanted.filter(({ bucket, line }) => !isHandedOver(bucket, deliveryOf(line)));
  if (open.length === 0) {
    const isKept = wanted.some(({ bucket }) => bucket !== 'returned');
    return isKept || parts.length === 0 ? 'fulfilled' : 'restocked';
  }
  if (open.length < wanted.length) return 'partially_fulfilled';
  if (isBlocked) return 'on_hold';
  if (open.every(({ bucket }) => WAITS_FOR_SHOPPER.has(bucket))) return 'ready_for_pickup';
  return open.some(({ bucket }) => WORKED_ON.has(bucket) || WAITS_FOR_SHOPPER.has(bucket))
    ? 'in_progress'
    : 'unfulfilled';
}

/** How an order ends, once all of its units have: null while some have not. What needs no node has no units here, and ends with the order. */
export function endOf({
  parts,
  deliveryOf,
}: Pick<StatusInput, 'parts' | 'deliveryOf'>): 'completed' | 'cancelled' | null {
  if (parts.length > 0 && parts.every(({ bucket }) => bucket === 'cancelled')) return 'cancelled';
  const isEnded = ({ bucket, line }: Part): boolean => bucket === 'cancelled' || isHandedOver(bucket, deliveryOf(line));
  return parts.every(isEnded) ? 'completed' : null;
}
