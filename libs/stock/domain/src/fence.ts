/**
 * Ring-fences: units of a SKU at a node that are kept for a group of channels. The group takes from its fence first and then from
 * what is common; others do not see what is left of the fence.
 *
 * A fence of so many units is a budget, for each SKU and node by itself: what the group holds, has confirmed and was sent since the
 * fence was set is used, and the rest is kept for it. A fence in per cent is live: that share of what is available now, rounded down,
 * so that it never keeps more than was said.
 *
 * No fence keeps what is not there, and none takes from another. Those of so many units come first, in the order of their keys, and
 * of what they leave come the shares. A channel that several name has them one after the other.
 */
import type { ChannelKey, FenceKey, NodeKey, SkuKey } from './keys.ts';

/** Only the word means all: an empty list is none, and a fence with one keeps nothing. */
export interface Fence {
  /** Never used again: a fence that is set anew has another key, and its use starts at nothing. */
  readonly key: FenceKey;
  /** The group. */
  readonly channels: ReadonlySet<ChannelKey>;
  readonly nodes: 'all' | ReadonlySet<NodeKey>;
  readonly skus: 'all' | ReadonlySet<SkuKey>;
  readonly measure: 'units' | 'percent';
  readonly quantity: number;
  /** Milliseconds: from then on its units are common; null until it is lifted. */
  readonly until: number | null;
}

/** Units of a SKU that are charged to a fence at a node. */
export interface FenceUse {
  readonly node: NodeKey;
  readonly fence: FenceKey;
  readonly used: number;
}

export const NO_FENCES: readonly Fence[] = [];
export const NO_FENCE_USES: readonly FenceUse[] = [];

const isKeeping = ({ nodes, until }: Fence, node: NodeKey, now: number): boolean =>
  (nodes === 'all' || nodes.has(node)) && (until === null || now < until);

/** What a fence of so many units has left. */
function unusedOf({ key, quantity }: Fence, uses: readonly FenceUse[], node: NodeKey): number {
  for (const { fence, node: at, used } of uses) if (fence === key && at === node) return Math.max(0, quantity - used);
  return quantity;
}

export interface FencedShelf {
  readonly node: NodeKey;
  /** Units that are free there. */
  readonly available: number;
  readonly uses: readonly FenceUse[];
}

/** Units that fences keep from a channel. `fences` are those of the SKU, in their order; `tell` hears of each that does. */
export function keptFrom(
  channel: ChannelKey,
  fences: readonly Fence[],
  { node, available, uses }: FencedShelf,
  now: number,
  tell?: (fence: Fence, units: number) => void,
): number {
  let left = available;
  let kept = 0;
  let hasOwn = false;
  for (const fence of fences) {
    if (!isKeeping(fence, node, now)) continue;
    const share = Math.floor((available * fence.quantity) / 100);
    const units = Math.min(left, fence.measure === 'percent' ? share : unusedOf(fence, uses, node));
    if (units === 0) continue;
    left -= units;
    if (!hasOwn && fence.channels.has(channel)) {
      hasOwn = true;
      continue;
    }
    kept += units;
    tell?.(fence, units);
  }
  return kept;
}

/** The fence that pays for what a channel takes at a node, and how many units it has left; null if none does. */
export function payingFence(
  channel: ChannelKey,
  fences: readonly Fence[],
  { node, uses }: Omit<FencedShelf, 'available'>,
  now: number,
): { readonly fence: FenceKey; readonly unused: number } | null {
  for (const fence of fences) {
    if (fence.measure !== 'units' || !fence.channels.has(channel) || !isKeeping(fence, node, now)) continue;
    const unused = unusedOf(fence, uses, node);
    if (unused > 0) return { fence: fence.key, unused };
  }
  return null;
}

const isNamed = <Key>(list: 'all' | ReadonlySet<Key>): boolean => list === 'all' || list.size > 0;

/** Fences by SKU, each list in the order in which units are kept. */
export class Fences {
  readonly #ofAny: readonly Fence[];
  readonly #bySku: ReadonlyMap<SkuKey, readonly Fence[]>;

  constructor(fences: readonly Fence[]) {
    const ranked = fences
      .filter(({ channels, nodes }) => channels.size > 0 && isNamed(nodes))
      .toSorted((a, b) => Number(a.measure === 'percent') - Number(b.measure === 'percent') || a.key - b.key);
    const skus = new Set(ranked.flatMap((fence) => (fence.skus === 'all' ? [] : [...fence.skus])));
    const ofAny = ranked.filter((fence) => fence.skus === 'all');
    this.#ofAny = ofAny.length === 0 ? NO_FENCES : ofAny;
    this.#bySku = new Map(
      [...skus].map((sku) => [sku, ranked.filter((fence) => fence.skus === 'all' || fence.skus.has(sku))]),
    );
  }

  /** Asked for every line of every hold; most SKUs have none. */
  of(sku: SkuKey): readonly Fence[] {
    return this.#bySku.size === 0 ? this.#ofAny : (this.#bySku.get(sku) ?? this.#ofAny);
  }
}
