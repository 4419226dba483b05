/**
 * Available to promise for a channel:
 *
 *   node_atp(c) = max(0, available − threshold(c))          over eligible nodes
 *   ATP(c)      = max(0, Σ node_atp(c) − network_threshold(c))
 *
 * Asked of some nodes only, it is what those nodes have, capped by ATP(c): a network threshold hides units of the
 * channel as a whole, so it must not be taken off each node or pickup place once more.
 *
 * Reads and grants call this same function, so a shown unit can be promised and a hidden one cannot.
 */
import type { NodeKey, SkuKey } from './keys.ts';
import type { SellingChannel, SellingRules } from './selling-rules.ts';
import type { SkuSupply } from './supply.ts';
import type { SupplyRow } from './supply-row.ts';

export interface NodeAtp {
  readonly node: NodeKey;
  readonly atp: number;
}

export interface ChannelAtp {
  readonly atp: number;
  readonly nodes: readonly NodeAtp[];
}

export interface Perspective {
  readonly channel: SellingChannel;
  /** Count only these nodes; null counts all. */
  readonly nodes: ReadonlySet<NodeKey> | null;
  /** Milliseconds since the epoch, of the decision. */
  readonly now: number;
  /** Whether what thresholds hide counts all the same: the units are sold already. */
  readonly showsHidden?: boolean;
}

/** ATP of one SKU in units. `nodes` lists eligible nodes with at least one unit. */
export function channelAtp(supply: SkuSupply, rules: SellingRules, { channel, nodes, now, showsHidden = false }: Perspective): ChannelAtp {
  const found: NodeAtp[] = [];
  let everywhere = 0;
  let counted = 0;
  for (const row of supply.rows) {
    if (row.available === 0 || !rules.isEligible(channel, row.node, now)) continue;
    const atp = showsHidden ? row.available : nodeAtp(row, rules, channel, supply.sku);
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

/** What an eligible node has for a channel. */
export const nodeAtp = (row: SupplyRow, rules: SellingRules, channel: SellingChannel, sku: SkuKey): number =>
  Math.max(0, row.available - rules.nodeThreshold(channel.key, sku, row.node));

/** What all eligible nodes have together, before what the channel hides as a whole. */
export function shownAtp(supply: SkuSupply, rules: SellingRules, at: Omit<Perspective, 'nodes' | 'showsHidden'>): number {
  const { channel, now } = at;
  let everywhere = 0;
  for (const row of supply.rows)
    if (row.available > 0 && rules.isEligible(channel, row.node, now))
      everywhere += nodeAtp(row, rules, channel, supply.sku);
  return everywhere;
}
