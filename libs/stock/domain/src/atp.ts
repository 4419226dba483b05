/**
 * Available to promise for a channel:
 *
 *   node_atp(c) = max(0, available − threshold(c) − what fences keep for others)   over nodes from which c may sell
 *   ATP(c)      = max(0, Σ node_atp(c) − network_threshold(c))
 *
 * Asked of some nodes only, it is what those nodes have, capped by ATP(c): a network threshold hides units of the
 * channel as a whole, so it must not be taken off each node or pickup place once more.
 *
 * Reads and grants call this same function, so a shown unit can be promised and a hidden one cannot.
 */
import { type Fence, keptFrom } from './fence.ts';
import type { ChannelKey, FenceKey, NodeKey } from './keys.ts';
import type { SellingChannel, SellingRules } from './selling-rules.ts';
import { isStopped } from './stop.ts';
import { type SkuSupply, fenceUsesOf } from './supply.ts';
import type { SupplyRow } from './supply-row.ts';

export interface NodeAtp {
  readonly node: NodeKey;
  readonly atp: number;
}

export interface ChannelAtp {
  readonly atp: number;
  readonly nodes: readonly NodeAtp[];
}

/** Who asks, and when. */
export interface Seller {
  readonly channel: SellingChannel;
  /** Milliseconds since the epoch, of the decision. */
  readonly now: number;
}

export interface Perspective extends Seller {
  /** Count only these nodes; null counts all. */
  readonly nodes: ReadonlySet<NodeKey> | null;
  /** Whether what thresholds and fences hide counts all the same: the units are sold already. */
  readonly showsHidden?: boolean;
}

/** ATP of one SKU in units. `nodes` lists eligible nodes with at least one unit. */
export function channelAtp(supply: SkuSupply, rules: SellingRules, perspective: Perspective): ChannelAtp {
  const { channel, nodes, now, showsHidden = false } = perspective;
  const found: NodeAtp[] = [];
  let everywhere = 0;
  let counted = 0;
  for (const row of supply.rows) {
    if (row.available === 0 || !maySell(supply, rules, channel, row.node, now)) continue;
    const atp = showsHidden ? row.available : unhidden(row, supply, rules, channel, now);
    if (atp === 0) continue;
    everywhere += atp;
    if (nodes && !nodes.has(row.node)) continue;
    found.push({ node: row.node, atp });
    counted += atp;
  }
  const hidden = showsHidden ? 0 : rules.networkThreshold(channel.key, supply.sku);
  const shown = Math.max(0, everywhere - hidden);
  return { atp: Math.min(counted, shown), nodes: found };
}

/** Whether a stop of the SKU, the node or the channel says that nothing more may be promised. */
export const isHalted = (
  { limits }: SkuSupply,
  rules: SellingRules,
  channel: ChannelKey,
  node: NodeKey,
  now: number,
): boolean =>
  isStopped(rules.stopsAt(node), channel, node, now) ||
  (limits !== undefined && isStopped(limits.stops, channel, node, now));

/** Whether anything of a SKU may be promised to a channel at a node. */
export const maySell = (
  supply: SkuSupply,
  rules: SellingRules,
  channel: SellingChannel,
  node: NodeKey,
  now: number,
): boolean => rules.isEligible(channel, node, now) && !isHalted(supply, rules, channel.key, node, now);

/** What thresholds and fences leave of a row. */
function unhidden(
  row: SupplyRow,
  supply: SkuSupply,
  rules: SellingRules,
  { key }: SellingChannel,
  now: number,
): number {
  const free = row.available - rules.nodeThreshold(key, supply.sku, row.node);
  const fences = rules.fencesOf(supply.sku);
  if (fences.length === 0) return Math.max(0, free);
  return Math.max(0, free - keptFrom(key, fences, shelfOf(row, supply), now));
}

const shelfOf = ({ node, available }: SupplyRow, supply: SkuSupply) => ({
  node,
  available,
  uses: fenceUsesOf(supply),
});

/** What one row has for a channel. */
export const rowAtp = (row: SupplyRow, supply: SkuSupply, rules: SellingRules, { channel, now }: Seller): number =>
  row.available > 0 && maySell(supply, rules, channel, row.node, now) ? unhidden(row, supply, rules, channel, now) : 0;

/** What all nodes have together, before what the channel hides as a whole. */
export const shownAtp = (supply: SkuSupply, rules: SellingRules, seller: Seller): number =>
  supply.rows.reduce((sum, row) => sum + rowAtp(row, supply, rules, seller), 0);

/** Why a channel does not get units that a node has available. */
export type HiddenReason = 'not_eligible' | 'stop' | 'line_nodes' | 'threshold' | 'fence';

export interface HiddenUnits {
  readonly reason: HiddenReason;
  readonly units: number;
  /** Of a fence, which one. */
  readonly fence?: FenceKey;
}

export interface ExplainedNode extends NodeAtp {
  /** Law: with the ATP, all that the node has available. */
  readonly hidden: readonly HiddenUnits[];
}

export interface ExplainedAtp extends ChannelAtp {
  readonly nodes: readonly ExplainedNode[];
  /** Units of all nodes together that the channel hides as a whole. */
  readonly hidden: number;
}

/** What a node has for a channel, and why not all that is there. Every unit is hidden once, by the first that hides it. */
export function nodeAtp(
  row: SupplyRow,
  supply: SkuSupply,
  rules: SellingRules,
  perspective: Perspective,
): ExplainedNode {
  const { node, available } = row;
  if (available === 0) return { node, atp: 0, hidden: [] };
  const barred = barredBy(node, supply, rules, perspective);
  if (barred) return { node, atp: 0, hidden: [{ reason: barred, units: available }] };
  if (perspective.showsHidden) return { node, atp: available, hidden: [] };
  const hidden: HiddenUnits[] = [];
  let atp = available;
  const hide = (reason: HiddenReason, wanted: number, fence?: Fence): void => {
    const units = Math.min(wanted, atp);
    if (units > 0) hidden.push(fence ? { reason, units, fence: fence.key } : { reason, units });
    atp -= units;
  };
  const { channel, now } = perspective;
  hide('threshold', rules.nodeThreshold(channel.key, supply.sku, node));
  keptFrom(channel.key, rules.fencesOf(supply.sku), shelfOf(row, supply), now, (fence, units) =>
    hide('fence', units, fence),
  );
  return { node, atp, hidden };
}

function barredBy(
  node: NodeKey,
  supply: SkuSupply,
  rules: SellingRules,
  { channel, nodes, now }: Perspective,
): HiddenReason | null {
  if (!rules.isEligible(channel, node, now)) return 'not_eligible';
  if (isHalted(supply, rules, channel.key, node, now)) return 'stop';
  return nodes && !nodes.has(node) ? 'line_nodes' : null;
}

/** The same ATP, of every node and why it is so; for people who ask, not for holds. */
export function explainAtp(supply: SkuSupply, rules: SellingRules, perspective: Perspective): ExplainedAtp {
  const { atp } = channelAtp(supply, rules, perspective);
  const nodes = supply.rows.map((row) => nodeAtp(row, supply, rules, perspective));
  const shown = shownAtp(supply, rules, perspective);
  const hides = perspective.showsHidden ? 0 : rules.networkThreshold(perspective.channel.key, supply.sku);
  return { atp, nodes, hidden: Math.min(shown, hides) };
}
