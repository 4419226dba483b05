/** What is shown to whom, and where units of a line would go. */
import { type Promised, sum } from './piles.ts';
import { unfenced } from './fencing.ts';
import type { Pool } from './pool.ts';

export interface Wish {
  readonly sku: number;
  readonly quantity: number;
  readonly nodes: readonly number[] | null;
  /** What is not there may be promised of what is to come. */
  readonly mayWait?: boolean;
}

/** Units that a node has for a channel. */
export interface Room {
  readonly node: number;
  readonly units: number;
}

/** Whether anything of a SKU may be promised there. */
export const maySell = ({ market, limits, now }: Pool, sku: number, channel: number, node: number): boolean =>
  market.sells(channel, node, now) && !limits.isHalted(sku, channel, node, now);

export function shownAt(pool: Pool, sku: number, node: number, channel: number): number {
  if (!maySell(pool, sku, channel, node)) return 0;
  const { available } = pool.rowOf(sku, node);
  return Math.max(0, unfenced(pool, channel, { sku, node, available }) - pool.market.hiddenAt(channel, node));
}

export const shown = (pool: Pool, sku: number, channel: number): number =>
  sum(pool.market.nodes.map((node) => shownAt(pool, sku, node, channel)));

/** Where units of a line would go. */
export function spread(pool: Pool, { sku, quantity, nodes }: Wish, channel: number, showsAll = false): Room[] {
  const rooms = pool.market.nodes
    .filter((node) => maySell(pool, sku, channel, node) && (nodes?.includes(node) ?? true))
    .map((node) => ({
      node,
      units: showsAll ? pool.rowOf(sku, node).available : shownAt(pool, sku, node, channel),
    }));
  const network = showsAll ? Infinity : shown(pool, sku, channel) - pool.market.hiddenFrom(channel);
  return fill(rooms, Math.min(quantity, Math.max(0, network), sum(rooms.map(({ units }) => units))));
}

/** Whether units of a line may come to stand at a node; a person may put them anywhere. */
export function mayStand(
  pool: Pool,
  { lines, channel }: Promised,
  line: number,
  node: number,
  isByHand: boolean,
): boolean {
  const { sku, nodes } = lines[line] ?? { sku: 0, nodes: null };
  if (!pool.market.nodes.includes(node)) return false;
  return isByHand || (maySell(pool, sku, channel, node) && (nodes?.includes(node) ?? true));
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
