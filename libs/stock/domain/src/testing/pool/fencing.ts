/** Units that are kept for a group of channels. Which of its units a fence has paid for is noted on their pile. */
import type { Kept } from './market.ts';
import { type Pile, type Promised, openIn } from './piles.ts';
import type { Pool } from './pool.ts';

/** Units that a command has charged to fences besides those that piles tell, by fence. */
type Charged = ReadonlyMap<number, number>;
const NOTHING: Charged = new Map();

/** Units of a group there that its fence has paid for: those that it has, waits for or was sent. */
export function usedOf(pool: Pool, key: number, sku: number, node: number): number {
  let used = 0;
  for (const { piles } of pool.promises.values())
    for (const pile of piles) if (pile.fence === key && pile.sku === sku && pile.node === node) used += pile.fenced;
  return used;
}

export interface Free {
  readonly sku: number;
  readonly node: number;
  readonly available: number;
}

/** Whose the free units are, one by one; null is everybody's. */
function ownersOf(pool: Pool, { sku, node, available }: Free, charged: Charged): readonly (Kept | null)[] {
  const owners: (Kept | null)[] = [];
  for (const one of pool.limits.keptAt(sku, node, pool.now)) {
    const share = Math.floor((available * one.quantity) / 100);
    const budget = one.quantity - usedOf(pool, one.key, sku, node) - (charged.get(one.key) ?? 0);
    for (let unit = 0; unit < (one.isShare ? share : budget); unit++) owners.push(one);
  }
  while (owners.length < available) owners.push(null);
  return owners.slice(0, available);
}

/** Of free units at a node, those that no fence keeps from a channel. Of several fences of its own it has the first. */
export function unfenced(pool: Pool, channel: number, free: Free, charged: Charged = NOTHING): number {
  if (pool.limits.kept.length === 0) return free.available;
  const owners = ownersOf(pool, free, charged);
  const own = owners.find((owner) => owner?.channels.includes(channel));
  return owners.filter((owner) => owner === null || owner === own).length;
}

/** The fence that pays when a channel takes units, and for how many. */
export function payingOf(
  pool: Pool,
  channel: number,
  { sku, node }: Pick<Free, 'sku' | 'node'>,
  units: number,
  charged: Charged = NOTHING,
): { readonly key: number; readonly units: number } | null {
  for (const { key, isShare, channels, quantity } of pool.limits.keptAt(sku, node, pool.now)) {
    const left = quantity - usedOf(pool, key, sku, node) - (charged.get(key) ?? 0);
    if (!isShare && channels.includes(channel) && left > 0) return { key, units: Math.min(units, left) };
  }
  return null;
}

/** Units have come to a pile. It has one fence: what another one has paid is paid back. */
export function charge(pool: Pool, channel: number, pile: Pile, units: number): void {
  if (units === 0 || pile.node === null || pile.ahead !== null) return;
  const paying = payingOf(pool, channel, { sku: pile.sku, node: pile.node }, units);
  if (!paying) return;
  pile.fenced = (pile.fence === paying.key ? pile.fenced : 0) + paying.units;
  pile.fence = paying.key;
}

/** Units that are the buyer's, or will be. */
const kept = (pile: Pile | undefined): number => (pile ? openIn(pile) + pile.units.fulfilled : 0);

export interface Changed {
  readonly before: Promised;
  readonly after: Promised;
}

/**
 * Units that have left their pile otherwise than to the buyer leave the fence, those that it has paid for first; only then are units
 * charged that have come to a pile. Another channel is another buyer.
 */
export function refence(pool: Pool, changed: readonly Changed[]): void {
  for (const { before, after } of changed)
    for (const [no, pile] of after.piles.entries()) {
      const left = before.channel === after.channel ? kept(pile) : pile.units.fulfilled;
      payBack(pile, kept(before.piles[no]) - left);
    }
  for (const { before, after } of changed)
    for (const [no, pile] of after.piles.entries()) {
      const had = before.channel === after.channel ? kept(before.piles[no]) : pile.units.fulfilled;
      charge(pool, after.channel, pile, Math.max(0, kept(pile) - had));
    }
}

export function payBack(pile: Pile, units: number): void {
  pile.fenced -= Math.max(0, Math.min(units, pile.fenced));
  if (pile.fenced === 0) pile.fence = null;
}
