/** Selling rules as the catalogue has them, reloaded when its epoch moves. */
import {
  type AllowanceRule,
  type Fence,
  type ReceiptPolicy,
  SellingRules,
  type Stop,
  type Threshold,
} from '@onepool/stock-domain';
import DataLoader from 'dataloader';
import type pg from 'pg';

type Queryable = Pick<pg.Pool, 'query'>;
interface NodeRecord {
  node_key: number;
  code: string;
  type: string;
  lat: number | null;
  lng: number | null;
  active_from: number | null;
  active_to: number | null;
}
interface ChannelRecord {
  channel_key: number;
  code: string;
  node_types: string[] | null;
  nodes: number[] | null;
}
interface ThresholdRecord {
  scope: Threshold['scope'];
  channel_key: number | null;
  node_key: number | null;
  sku_key: number | null;
  quantity: number;
}

interface FenceRecord {
  fence_key: number;
  skus: number[] | null;
  nodes: number[] | null;
  channels: number[];
  quantity: number | null;
  share_percent: number | null;
  until: number | null;
}
/** Null is all of them. */
interface AllowanceRecord {
  skus: number[] | null;
  nodes: number[] | null;
  cap: number;
}
/** Null is all of them. */
interface StopRecord {
  nodes: number[] | null;
  channels: number[] | null;
  drains: boolean;
  until: number | null;
}

/** Null is all of them. */
interface ReceiptRecord {
  to_state: ReceiptPolicy['to'];
  nodes: number[] | null;
  reasons: string[] | null;
  inspect_within_hours: number;
}

interface RulesRecord {
  epoch: number;
  nodes: NodeRecord[] | null;
  channels: ChannelRecord[] | null;
  thresholds: ThresholdRecord[] | null;
  fences: FenceRecord[] | null;
  stops: StopRecord[] | null;
  allowances: AllowanceRecord[] | null;
  receipts: ReceiptRecord[] | null;
}

export class RulesSource {
  #epoch = -1;
  #rules = new SellingRules([], [], []);
  readonly #looks: DataLoader<'now', SellingRules>;

  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
    const look = async (asked: readonly 'now'[]): Promise<SellingRules[]> => {
      const rules = await this.#look();
      return asked.map(() => rules);
    };
    this.#looks = new DataLoader(look, { cache: false });
  }

  /** The rules of `epoch`, which the caller has read after its locks, so that no older rule decides. */
  async at(epoch: number, client: Queryable): Promise<SellingRules> {
    if (epoch === this.#epoch) return this.#rules;
    const rules = await loadRules(client);
    // Of two loads side by side the older may come last.
    if (rules.epoch > this.#epoch) {
      this.#rules = rules.value;
      this.#epoch = rules.epoch;
    }
    return rules.value;
  }

  /** The rules as last loaded: good for turning codes into keys, which never change, not for deciding. */
  get known(): SellingRules {
    return this.#rules;
  }

  /** Of the rules last loaded; −1 before the first. */
  get epoch(): number {
    return this.#epoch;
  }

  get areKnown(): boolean {
    return this.#epoch >= 0;
  }

  /** The rules as they are now; callers of one tick share the look. */
  async current(): Promise<SellingRules> {
    return this.#looks.load('now');
  }

  async #look(): Promise<SellingRules> {
    const { rows } = await this.#pool.query<{ epoch: number }>({
      name: 'rules-epoch',
      text: 'SELECT epoch FROM rules_epoch',
    });
    return this.at(rows[0]?.epoch ?? 0, this.#pool);
  }
}

const milliseconds = (column: string): string => `round(extract(epoch FROM ${column}) * 1000)`;
/** Keys of the codes in a column; null stays null, which is all of them. */
const keysOf = (kind: 'sku' | 'node' | 'channel', column: string): string => {
  const view = kind === 'sku' ? 'sku_code' : `rules_${kind}`;
  return `CASE WHEN ${column} IS NOT NULL THEN ARRAY(SELECT k.${kind}_key FROM ${view} k WHERE k.code = ANY(${column})) END`;
};

const RULES = `
  SELECT (SELECT epoch FROM rules_epoch) AS epoch,
         (SELECT json_agg(n) FROM (SELECT node_key, code, type, lat, lng, ${milliseconds('active_from')} AS active_from,
             ${milliseconds('active_to')} AS active_to FROM rules_node) n) AS nodes,
         (SELECT json_agg(c) FROM (SELECT channel_key, code, node_types, ${keysOf('node', 'r.nodes')} AS nodes
             FROM rules_channel r) c) AS channels,
         (SELECT json_agg(t) FROM (SELECT scope, channel_key, node_key, sku_key, quantity FROM rules_threshold) t) AS thresholds,
         (SELECT json_agg(f) FROM (SELECT fence_key, ${keysOf('sku', 'r.skus')} AS skus, ${keysOf('node', 'r.nodes')} AS nodes,
             ${keysOf('channel', 'r.channels')} AS channels, quantity, share_percent, ${milliseconds('until')} AS until
             FROM rules_fence r) f) AS fences,
         (SELECT json_agg(s) FROM (SELECT ${keysOf('node', 'r.nodes')} AS nodes, ${keysOf('channel', 'r.channels')} AS channels,
             mode = 'drain' AS drains, ${milliseconds('until')} AS until FROM rules_stop r) s) AS stops,
         (SELECT json_agg(a) FROM (SELECT ${keysOf('sku', 'r.skus')} AS skus, ${keysOf('node', 'r.nodes')} AS nodes, cap FROM rules_allowance r) a) AS allowances,
         (SELECT json_agg(p) FROM (SELECT to_state, ${keysOf('node', 'r.nodes')} AS nodes, reasons, inspect_within_hours FROM rules_receipt r) p) AS receipts`;

/** One statement, hence one moment: no batch decides by half of a change. */
async function loadRules(client: Queryable): Promise<{ epoch: number; value: SellingRules }> {
  const { rows } = await client.query<RulesRecord>(RULES);
  const { epoch = 0, nodes, channels, thresholds, fences, stops, allowances, receipts } = rows[0] ?? {};
  const value = new SellingRules(
    (nodes ?? []).map((row) => ({
      key: row.node_key,
      code: row.code,
      type: row.type,
      lat: row.lat,
      lng: row.lng,
      activeFrom: row.active_from,
      activeTo: row.active_to,
    })),
    (channels ?? []).map((row) => ({
      key: row.channel_key,
      code: row.code,
      nodeTypes: row.node_types ? new Set(row.node_types) : 'all',
      nodes: row.nodes ? new Set(row.nodes) : 'all',
    })),
    (thresholds ?? []).map((row) => ({
      scope: row.scope,
      channel: row.channel_key,
      node: row.node_key,
      sku: row.sku_key,
      quantity: row.quantity,
    })),
    {
      fences: (fences ?? []).map(toFence),
      stops: (stops ?? []).flatMap(toStops),
      allowances: (allowances ?? []).flatMap(toAllowances),
      receiptPolicies: (receipts ?? []).flatMap(toReceiptPolicies),
    },
  );
  return { epoch, value };
}

const toFence = (row: FenceRecord): Fence => ({
  key: row.fence_key,
  channels: new Set(row.channels),
  nodes: row.nodes ? new Set(row.nodes) : 'all',
  skus: row.skus ? new Set(row.skus) : 'all',
  measure: row.quantity === null ? 'percent' : 'units',
  quantity: row.quantity ?? row.share_percent ?? 0,
  until: row.until,
});

/** An allowance for each pair of SKU and node. */
const toAllowances = ({ skus, nodes, cap }: AllowanceRecord): readonly AllowanceRule[] =>
  (skus ?? [null]).flatMap((sku) => (nodes ?? [null]).map((node) => ({ sku, node, cap })));

const HOUR_MS = 3_600_000;
/** A policy for each pair of node and reason. */
const toReceiptPolicies = ({ nodes, reasons, to_state: to, inspect_within_hours: hours }: ReceiptRecord) =>
  (nodes ?? [null]).flatMap((node) =>
    (reasons ?? [null]).map((reason): ReceiptPolicy => ({ node, reason, to, inspectWithinMs: hours * HOUR_MS })),
  );

/** A stop for each pair of node and channel. */
const toStops = ({ nodes, channels, drains, until }: StopRecord): readonly Stop[] =>
  (nodes ?? [null]).flatMap((node) => (channels ?? [null]).map((channel) => ({ node, channel, drains, until })));
