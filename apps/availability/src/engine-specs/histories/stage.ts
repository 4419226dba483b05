/** Two engines on one database with the market of the model, and SKUs for one history after the other. */
import type { StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, createPoolFixture } from '../../testing/pool-fixture.ts';
import { FeedTeller } from './feed-teller.ts';

const HOUR_MS = 3_600_000;
/** Histories for which SKUs are made at once. */
const BLOCK = 100;
const NODES = 4;
export const SKUS_EACH = [1, 2];

export const nodeCode = (node: number): string => `n${node}`;
export const channelCode = (channel: number): string => (channel === 1 ? 'web' : 'pos');

export class HistoryStage {
  readonly pool: PoolFixture;
  readonly engines: readonly [StockEngine, StockEngine];
  readonly feeds: FeedTeller;
  /** When every row was counted first, at nothing (ms). */
  readonly countedAt: number;
  #begun = 0;
  #block: Promise<void> = Promise.resolve();

  private constructor(pool: PoolFixture) {
    this.pool = pool;
    this.engines = [pool.engine(), pool.engine()];
    this.feeds = new FeedTeller(pool);
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
    return new HistoryStage(pool);
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
    await this.pool.catalog.putSkus(skus.map((sku) => ({ sku })));
    const nodes = Array.from({ length: NODES }, (_, place) => nodeCode(place + 1));
    const lines = skus.flatMap((sku) => nodes.map((node) => ({ sku, node, quantity: 0, at: this.countedAt })));
    await this.feeds.tell('reset', lines);
  }

  async close(): Promise<void> {
    await this.feeds.close();
    await this.pool.close();
  }
}

export const skuCode = (history: number, sku: number): string => `h${history}-${sku}`;
