/** Two engines on one database with the market of the model, and SKUs for one history after the other. */
import { SourceSettingsStore, type StockEngine } from '@onepool/stock-data-access';
import { STAGES } from '@onepool/stock-domain';
import { CLIENT, type PoolFixture, createPoolFixture } from '../../testing/pool-fixture.ts';
import pg from 'pg';
import { SCHEMA } from '../../config.ts';
import { FeedTeller, shopOf } from './feed-teller.ts';

const HOUR_MS = 3_600_000;
/** Histories for which SKUs are made at once. */
const BLOCK = 100;
const NODES = 4;
/** Why units arrive that are to be inspected first. */
export const TO_INSPECTION = 'returned';
/** Units of the first SKU of a history that may be promised and are not known to come: at its second node, and at any. */
const ALLOWANCES = [
  { name: 'one-node', nodes: ['n2'], cap: 2 },
  { name: 'any-node', nodes: 'all', cap: 4 },
] as const;
export const SKUS_EACH = [1, 2];

export const nodeCode = (node: number): string => `n${node}`;
export const channelCode = (channel: number): string => (channel === 1 ? 'web' : 'pos');

export class HistoryStage {
  readonly pool: PoolFixture;
  readonly engines: readonly [StockEngine, StockEngine];
  /** Of somebody else. */
  readonly other: StockEngine;
  readonly feeds: FeedTeller;
  /** For looks at the database, whose statements are planned once. */
  readonly looks: pg.Pool;
  /** When every row was counted first, at nothing (ms). */
  readonly countedAt: number;
  #begun = 0;
  #block: Promise<void> = Promise.resolve();

  private constructor(pool: PoolFixture) {
    this.pool = pool;
    this.engines = [pool.engine(), pool.engine()];
    this.other = pool.engine();
    this.feeds = new FeedTeller(pool);
    this.looks = new pg.Pool({ connectionString: pool.ownerUrl, options: `-c search_path=${SCHEMA}`, max: 6 });
    this.countedAt = Date.now() - HOUR_MS;
  }

  static async open(): Promise<HistoryStage> {
    const pool = await createPoolFixture(NODES, 0);
    await pool.catalog.putChannels([{ channel: 'pos', type: 'pos', nodes: ['n1', 'n2'] }]);
    await pool.catalog.putThresholds([
      { scope: 'node', node: 'n3', quantity: 1 },
      { scope: 'node', node: 'n1', channel: 'pos', quantity: 1 },
      { scope: 'node', node: 'n2', channel: 'pos', quantity: 2 },
      { scope: 'network', channel: 'pos', quantity: 1 },
    ]);
    await pool.catalog.putReceiptPolicies([
      { policy: 'inspected', to: 'quality_control', nodes: 'all', reasons: [TO_INSPECTION] },
    ]);
    const stage = new HistoryStage(pool);
    const settings = new SourceSettingsStore(stage.other.lookupPool, stage.other.sources);
    for (const deductsAt of STAGES) await settings.set(CLIENT, shopOf(deductsAt), { deductsAt });
    return stage;
  }

  /** The number of a history that has SKUs which nobody has used. */
  async begin(): Promise<number> {
    const number = this.#begun++;
    if (number % BLOCK === 0) this.#block = this.#prepare(number);
    await this.#block;
    return number;
  }

  async #prepare(first: number): Promise<void> {
    const numbers = Array.from({ length: BLOCK }, (_, place) => first + place);
    const skus = numbers.flatMap((number) => SKUS_EACH.map((sku) => skuCode(number, sku)));
    const { catalog } = this.pool;
    await catalog.putSkus(skus.map((sku) => ({ sku })));
    await catalog.putAllowances(
      ALLOWANCES.map(({ name, nodes, cap }) => ({
        allowance: `${name}-${first}`,
        skus: numbers.map((number) => skuCode(number, 1)),
        nodes: nodes === 'all' ? nodes : [...nodes],
        cap,
      })),
    );
    const nodes = Array.from({ length: NODES }, (_, place) => nodeCode(place + 1));
    const lines = skus.flatMap((sku) => nodes.map((node) => ({ sku, node, quantity: 0, at: this.countedAt })));
    await this.feeds.tell('reset', lines);
  }

  async close(): Promise<void> {
    await Promise.all([this.feeds.close(), this.looks.end()]);
    await this.pool.close();
  }
}

export const skuCode = (history: number, sku: number): string => `h${history}-${sku}`;
