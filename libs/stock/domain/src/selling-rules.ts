/** Who may sell what from where: eligibility, activity, thresholds, fences and stops of nodes and channels, as one compiled value. */
import { type Fence, Fences } from './fence.ts';
import type { ChannelKey, NodeKey, SkuKey } from './keys.ts';
import type { ReceiptPolicy } from './receipt-policy.ts';
import { NO_STOPS, type Stop, nextEnd } from './stop.ts';

export interface SellingNode {
  readonly key: NodeKey;
  readonly code: string;
  readonly type: string;
  readonly lat: number | null;
  readonly lng: number | null;
  /** Milliseconds since the epoch; null is open. */
  readonly activeFrom: number | null;
  readonly activeTo: number | null;
}

export interface SellingChannel {
  readonly key: ChannelKey;
  readonly code: string;
  /** Only the word means all: an empty set is none. */
  readonly nodeTypes: 'all' | ReadonlySet<string>;
  readonly nodes: 'all' | ReadonlySet<NodeKey>;
}

/** A rule that hides units; null members match everything. */
export interface Threshold {
  readonly scope: 'node' | 'network';
  readonly channel: ChannelKey | null;
  readonly node: NodeKey | null;
  readonly sku: SkuKey | null;
  readonly quantity: number;
}

/**
 * A policy that lets units be promised of which nothing is known to come. What names a SKU holds instead of what is for every SKU; of
 * several that say the same, the smallest.
 */
export interface AllowanceRule {
  readonly sku: SkuKey | null;
  /** Which node alone may serve these units; null: any, and all of them together have one cap. */
  readonly node: NodeKey | null;
  /** Units that may be promised at a time and have not come yet. */
  readonly cap: number;
}

/** What limits sales below what is there, lets them go beyond it, or keeps what arrives from them. */
export interface Limits {
  readonly fences?: readonly Fence[];
  /** Of every SKU; those that name one come with its supply. */
  readonly stops?: readonly Stop[];
  readonly allowances?: readonly AllowanceRule[];
  readonly receiptPolicies?: readonly ReceiptPolicy[];
}

export class SellingRules {
  readonly nodes: ReadonlyMap<NodeKey, SellingNode>;
  readonly nodesByCode: ReadonlyMap<string, SellingNode>;
  readonly channels: ReadonlyMap<ChannelKey, SellingChannel>;
  readonly channelsByCode: ReadonlyMap<string, SellingChannel>;
  readonly receiptPolicies: readonly ReceiptPolicy[];
  readonly #anywhere: readonly Stop[];
  readonly #byNode: ReadonlyMap<NodeKey, readonly Stop[]>;
  readonly #allowances: ReadonlyMap<SkuKey | null, ReadonlyMap<NodeKey, number>>;
  readonly #fences: Fences;
  readonly #anySku: readonly Threshold[];
  readonly #bySku: ReadonlyMap<SkuKey, readonly Threshold[]>;
  /** Of fences and stops. */
  readonly #ends: readonly { readonly until: number | null }[];

  constructor(
    nodes: readonly SellingNode[],
    channels: readonly SellingChannel[],
    thresholds: readonly Threshold[],
    { fences = [], stops = NO_STOPS, allowances = [], receiptPolicies = [] }: Limits = {},
  ) {
    this.#anywhere = stops.filter(({ node }) => node === null);
    this.#byNode = stopsByNode(stops);
    this.#fences = new Fences(fences);
    this.#ends = [...fences, ...stops].filter(({ until }) => until !== null);
    this.#allowances = capsOf(allowances);
    this.receiptPolicies = receiptPolicies;
    this.nodes = new Map(nodes.map((node) => [node.key, node]));
    this.nodesByCode = new Map(nodes.map((node) => [node.code, node]));
    this.channels = new Map(channels.map((channel) => [channel.key, channel]));
    this.channelsByCode = new Map(channels.map((channel) => [channel.code, channel]));
    this.#anySku = thresholds.filter(({ sku }) => sku === null);
    this.#bySku = groupBySku(thresholds);
  }

  /** Whether `channel` sells from `node` at `now` (ms), stops apart. */
  isEligible(channel: SellingChannel, node: NodeKey, now: number): boolean {
    const found = this.nodes.get(node);
    if (!found) return false;
    if (found.activeFrom !== null && now < found.activeFrom) return false;
    if (found.activeTo !== null && now >= found.activeTo) return false;
    if (channel.nodeTypes !== 'all' && !channel.nodeTypes.has(found.type)) return false;
    return channel.nodes === 'all' || channel.nodes.has(node);
  }

  /** The next moment after `now` (ms) at which a node begins or ends to sell, or a fence or stop is over; infinity if there is none. */
  changesAfter(now: number): number {
    let next = nextEnd(this.#ends, now);
    for (const { activeFrom, activeTo } of this.nodes.values()) {
      if (activeFrom !== null && activeFrom > now) next = Math.min(next, activeFrom);
      if (activeTo !== null && activeTo > now) next = Math.min(next, activeTo);
    }
    return next;
  }

  /** Those that concern a node. Asked for every row of every hold. */
  stopsAt(node: NodeKey): readonly Stop[] {
    return this.#byNode.get(node) ?? this.#anywhere;
  }

  /** Caps of what may be promised of a SKU beyond what is there and on its way, by node; 0: any node may serve it. */
  allowancesOf(sku: SkuKey): ReadonlyMap<NodeKey, number> {
    return this.#allowances.get(sku) ?? this.#allowances.get(null) ?? NO_CAPS;
  }

  /** Those that keep units of a SKU, in the order in which they do. */
  fencesOf(sku: SkuKey): readonly Fence[] {
    return this.#fences.of(sku);
  }

  /** Units hidden from `channel` at one node; of several matching rules the largest wins. */
  nodeThreshold(channel: ChannelKey, sku: SkuKey, node: NodeKey): number {
    return this.#largest('node', channel, sku, node);
  }

  /** Units hidden from `channel` as a whole. */
  networkThreshold(channel: ChannelKey, sku: SkuKey): number {
    return this.#largest('network', channel, sku, null);
  }

  #largest(scope: Threshold['scope'], channel: ChannelKey, sku: SkuKey, node: NodeKey | null): number {
    const ofSku = this.#bySku.get(sku);
    // Most SKUs have no rule at all, and this is asked for every row of every hold.
    if (ofSku === undefined && this.#anySku.length === 0) return 0;
    const applies = { scope, channel, node };
    return Math.max(largestOf(this.#anySku, applies), largestOf(ofSku ?? [], applies));
  }
}

function stopsByNode(stops: readonly Stop[]): ReadonlyMap<NodeKey, readonly Stop[]> {
  const nodes = new Set(stops.flatMap(({ node }) => node ?? []));
  if (nodes.size === 0) return new Map();
  return new Map([...nodes].map((at) => [at, stops.filter(({ node }) => node === null || node === at)]));
}

interface Asked {
  readonly scope: Threshold['scope'];
  readonly channel: ChannelKey;
  readonly node: NodeKey | null;
}

function largestOf(rules: readonly Threshold[], { scope, channel, node }: Asked): number {
  let largest = 0;
  for (const rule of rules) {
    const matches =
      rule.scope === scope &&
      (rule.channel === null || rule.channel === channel) &&
      (scope === 'network' || rule.node === null || rule.node === node);
    if (matches && rule.quantity > largest) largest = rule.quantity;
  }
  return largest;
}

const NO_CAPS: ReadonlyMap<NodeKey, number> = new Map();

/** Caps by SKU, each with those of every SKU that it does not replace; null is every other SKU. */
function capsOf(rules: readonly AllowanceRule[]): ReadonlyMap<SkuKey | null, ReadonlyMap<NodeKey, number>> {
  const of = (sku: SkuKey | null): Map<NodeKey, number> => {
    const caps = new Map<NodeKey, number>();
    for (const rule of rules) {
      const node = rule.node ?? 0;
      if (rule.sku === sku) caps.set(node, Math.min(rule.cap, caps.get(node) ?? Number.POSITIVE_INFINITY));
    }
    return caps;
  };
  const every = of(null);
  const skus = new Set(rules.map(({ sku }) => sku));
  return new Map([...skus].map((sku) => [sku, sku === null ? every : new Map([...every, ...of(sku)])]));
}

function groupBySku(thresholds: readonly Threshold[]): Map<SkuKey, Threshold[]> {
  const groups = new Map<SkuKey, Threshold[]>();
  for (const rule of thresholds) {
    if (rule.sku === null) continue;
    const group = groups.get(rule.sku);
    if (group) group.push(rule);
    else groups.set(rule.sku, [rule]);
  }
  return groups;
}
