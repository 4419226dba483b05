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
  active_from: Date | null;
  active_to: Date | null;
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

export class RulesSource {
  #epoch = -1;
  #rules = new SellingRules([], [], []);
  readonly #looks: DataLoader<'now', SellingRules>;

  constructor(private readonly pool: pg.Pool) {
    const look = async (asked: readonly 'now'[]): Promise<SellingRules[]> => {
      const rules = await this.#look();
      return asked.map(() => rules);
    };
    this.#looks = new DataLoader(look, { cache: false });
  }

  /** The rules of `epoch`, which the caller has read after its locks, so that no older rule decides. */
  async at(epoch: number, client: Queryable): Promise<SellingRules> {
    if (epoch !== this.#epoch) {
      const rules = await loadRules(client);
      this.#rules = rules.value;
      this.#epoch = rules.epoch;
    }
    return this.#rules;
  }

  /** The rules as last loaded: good for turning codes into keys, which never change, not for deciding. */
  get known(): SellingRules {
    return this.#rules;
  }

  /** The rules as they are now; callers of one tick share the look. */
  async current(): Promise<SellingRules> {
    return this.#looks.load('now');
  }

  async #look(): Promise<SellingRules> {
    const { rows } = await this.pool.query<{ epoch: number }>({
      name: 'catalog-epoch',
      text: 'SELECT epoch FROM catalog_epoch',
    });
    return this.at(rows[0]?.epoch ?? 0, this.pool);
  }
}

const milliseconds = (date: Date | null): number | null => (date ? date.getTime() : null);

/** The epoch is read first: rules newer than their epoch are merely loaded once more. */
async function loadRules(client: Queryable): Promise<{ epoch: number; value: SellingRules }> {
  const epoch = await client.query<{ epoch: number }>('SELECT epoch FROM catalog_epoch');
  const nodes = await client.query<NodeRecord>(
    'SELECT node_key, code, type, lat, lng, active_from, active_to FROM node',
  );
  const channels = await client.query<ChannelRecord>(
    `SELECT channel_key, code, node_types,
            (SELECT array_agg(n.node_key) FROM node n WHERE n.code = ANY(channel.nodes)) AS nodes
       FROM channel`,
  );
  const thresholds = await client.query<ThresholdRecord>(
    'SELECT scope, channel_key, node_key, sku_key, quantity FROM threshold',
  );
  const value = new SellingRules(
    nodes.rows.map((row) => ({
      key: row.node_key,
      code: row.code,
      type: row.type,
      lat: row.lat,
      lng: row.lng,
      activeFrom: milliseconds(row.active_from),
      activeTo: milliseconds(row.active_to),
    })),
    channels.rows.map((row) => ({
      key: row.channel_key,
      code: row.code,
      nodeTypes: row.node_types && new Set(row.node_types),
      nodes: row.nodes && new Set(row.nodes),
    })),
    thresholds.rows.map((row) => ({
      scope: row.scope,
      channel: row.channel_key,
      node: row.node_key,
      sku: row.sku_key,
      quantity: row.quantity,
    })),
  );
  return { epoch: epoch.rows[0]?.epoch ?? 0, value };
}
