/** What is shown to whom, and where units of a line would go. */
import { type Promised, sum } from './piles.ts';
import type { Pool, Terms } from './pool.ts';

export interface Wish {
  readonly sku: number;
  readonly quantity: number;
  readonly nodes: readonly number[] | null;
}

/** What the world of the model looks like: who may sell from where and when, and what is hidden from whom. */
export interface Market {
  readonly nodes: readonly number[];
  readonly sells: (channel: number, node: number, now: number) => boolean;
  readonly hiddenAt: (channel: number, node: number) => number;
  readonly hiddenFrom: (channel: number) => number;
}

/** Units that a node has for a channel. */
export interface Room {
  readonly node: number;
  readonly units: number;
}

export function shownAt(pool: Pool, sku: number, node: number, channel: number, now: number): number {
  if (!pool.market.sells(channel, node, now)) return 0;
  return Math.max(0, pool.rowOf(sku, node).available - pool.market.hiddenAt(channel, node));
}

export function shown(pool: Pool, sku: number, channel: number, now: number): number {
  return sum(pool.market.nodes.map((node) => shownAt(pool, sku, node, channel, now)));
}

/** Where units of a line would go. */
export function spread(
  pool: Pool,
  { sku, quantity, nodes }: Wish,
  channel: number,
  now: number,
  showsAll = false,
): Room[] {
  const sells = (node: number): boolean => pool.market.sells(channel, node, now);
  const rooms = pool.market.nodes
    .filter((node) => sells(node) && (nodes?.includes(node) ?? true))
    .map((node) => ({
      node,
      units: showsAll ? pool.rowOf(sku, node).available : shownAt(pool, sku, node, channel, now),
    }));
  const network = showsAll ? Infinity : shown(pool, sku, channel, now) - pool.market.hiddenFrom(channel);
  return fill(rooms, Math.min(quantity, Math.max(0, network), sum(rooms.map(({ units }) => units))));
}

export function mayStand(
  pool: Pool,
  { lines, channel }: Promised,
  line: number,
  node: number,
  { now, isByHand }: Terms,
): boolean {
  if (isByHand) return true;
  const nodes = lines[line]?.nodes ?? null;
  return pool.market.sells(channel, node, now) && (nodes?.includes(node) ?? true);
}

/** Takes units where all fit if they fit anywhere, else where most are, else at the first node. */
export function fill(shown: readonly Room[], wanted: number): Room[] {
  const fits = ({ units }: Room): number => (units >= wanted ? 0 : 1);
  const ranked = shown
    .filter(({ units }) => units > 0)
    .sort((a, b) => fits(a) - fits(b) || b.units - a.units || a.node - b.node);
  let left = wanted;
  return ranked.flatMap(({ node, units }) => {
    const taken = Math.min(left, units);
    left -= taken;
    return taken > 0 ? [{ node, units: taken }] : [];
  });
}
