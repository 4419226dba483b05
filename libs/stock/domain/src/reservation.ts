/** A reservation: asked-for lines and the backings behind them; its state is the sum of its backings' quantities. */
import type { ChannelKey, NodeKey, SkuKey } from './keys.ts';

export interface Backing {
  readonly sku: SkuKey;
  readonly node: NodeKey;
  readonly held: number;
  readonly confirmed: number;
  readonly fulfilled: number;
  readonly released: number;
  readonly expired: number;
  readonly cancelled: number;
  /** Set while a node works on it: such units move only after the node has let go. */
  readonly pin: Pin | null;
}

export interface Pin {
  readonly fulfilmentId: string;
  readonly orderVersion: number;
}

export interface Reservation {
  /** Opaque to the domain. */
  readonly key: number;
  readonly channel: ChannelKey;
  readonly version: number;
  readonly createdAt: number;
  /** Milliseconds; when held units expire. */
  readonly expiresAt: number;
  /** Only these nodes may back it; null means any eligible one. */
  readonly nodes: readonly NodeKey[] | null;
  readonly lines: readonly ReservationLine[];
  readonly backings: readonly Backing[];
}

export interface ReservationLine {
  readonly sku: SkuKey;
  readonly requested: number;
  readonly granted: number;
}

export type Tally = 'held' | 'confirmed' | 'fulfilled' | 'released' | 'expired' | 'cancelled';

export const newBacking = (sku: SkuKey, node: NodeKey, units: Partial<Record<Tally, number>>): Backing => ({
  sku,
  node,
  held: 0,
  confirmed: 0,
  fulfilled: 0,
  released: 0,
  expired: 0,
  cancelled: 0,
  pin: null,
  ...units,
});

/**
 * Moves units of one backing from one tally to another. The pin falls with the last open unit: kept, it would hold on
 * to units that come back later, for work that is over.
 */
export function retally(backing: Backing, from: Tally, to: Tally, quantity: number): Backing {
  if (quantity > backing[from]) throw new Error(`Broken invariant: ${quantity} units of ${backing[from]} ${from}`);
  const moved = { ...backing, [from]: backing[from] - quantity, [to]: backing[to] + quantity };
  return moved.held + moved.confirmed === 0 ? { ...moved, pin: null } : moved;
}

export const totalOf = (backings: readonly Backing[], tally: Tally): number =>
  backings.reduce((sum, backing) => sum + backing[tally], 0);

/** Derived: `held` or `confirmed` while units are, else `closed`. */
export function statusOf(backings: readonly Backing[]): 'held' | 'confirmed' | 'closed' {
  if (totalOf(backings, 'held') > 0) return 'held';
  return totalOf(backings, 'confirmed') > 0 ? 'confirmed' : 'closed';
}

/** Replaces the backing of the same (SKU, node), or adds it. */
export function withBacking(backings: readonly Backing[], backing: Backing): readonly Backing[] {
  const at = backings.findIndex(({ sku, node }) => sku === backing.sku && node === backing.node);
  return at < 0 ? [...backings, backing] : backings.with(at, backing);
}
