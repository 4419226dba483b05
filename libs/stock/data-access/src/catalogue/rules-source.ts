/** Selling rules as the catalogue has them, reloaded when its epoch moves. */
import { SellingRules, type Threshold } from '@onepool/stock-domain';
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

interface RulesRecord {
  epoch: number;
  nodes: NodeRecord[] | null;
  channels: ChannelRecord[] | null;
  thresholds: ThresholdRecord[] | null;
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

/** One statement, hence one moment: no batch decides by half of a change. */
async function loadRules(client: Queryable): Promise<{ epoch: number; value: SellingRules }> {
  const { rows } = await client.query<RulesRecord>(
    `SELECT (SELECT epoch FROM rules_epoch) AS epoch,
            (SELECT json_agg(n) FROM (SELECT node_key, code, type, lat, lng,
                round(extract(epoch FROM active_from) * 1000) AS active_from,
                round(extract(epoch FROM active_to) * 1000) AS active_to FROM rules_node) n) AS nodes,
            (SELECT json_agg(c) FROM (SELECT channel_key, code, node_types,
                CASE WHEN nodes IS NOT NULL THEN ARRAY(SELECT n.node_key FROM rules_node n WHERE n.code = ANY(r.nodes)) END AS nodes
                FROM rules_channel r) c) AS channels,
            (SELECT json_agg(t) FROM (SELECT scope, channel_key, node_key, sku_key, quantity FROM rules_threshold) t) AS thresholds`,
  );
  const { epoch = 0, nodes, channels, thresholds } = rows[0] ?? {};
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
  );
  return { epoch, value };
}
