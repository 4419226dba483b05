/** Feeds of one replica: takes them in, applies what is staged (its own and others'), tells what became of them. */
import { createPool } from '@onepool/platform-postgres';
import type { Feed } from '@onepool/contracts';
import type pg from 'pg';
import type { Answer } from '../requests/refusal.ts';
import { RulesSource } from '../catalogue/rules-source.ts';
import { FeedApprovals } from './feed-approvals.ts';
import { FeedReads } from './feed-reads.ts';
import { type FeedLimits, type FeedUpload, FeedUploads } from './upload/feed-uploads.ts';
import { FeedWorker, type FeedWorkerOptions } from './apply/feed-worker.ts';

const POOL_MAX = 4;
/** Connections that the feeds of a replica open at most; one applies a feed. */
export const FEED_CONNECTIONS = POOL_MAX + 1;

export interface StockFeedsOptions extends FeedWorkerOptions {
  readonly limits?: Partial<FeedLimits>;
  readonly onConnectionError?: (error: Error) => void;
}

export class StockFeeds {
  readonly reads: FeedReads;
  readonly worker: FeedWorker;
  readonly approvals: FeedApprovals;
  readonly #uploads: FeedUploads;
  readonly #pool: pg.Pool;

  constructor(options: StockFeedsOptions) {
    this.#pool = createPool({
      url: options.url,
      schema: options.schema,
      max: POOL_MAX,
      applicationName: `${options.schema}-feeds`,
      statementTimeoutMs: 60_000,
      lockTimeoutMs: 10_000,
      idleInTransactionTimeoutMs: 10_000,
      connectTimeoutMs: 5_000,
      ...(options.onConnectionError ? { onConnectionError: options.onConnectionError } : {}),
    });
    const rules = new RulesSource(this.#pool);
    this.reads = new FeedReads(this.#pool);
    this.worker = new FeedWorker(this.#pool, rules, options);
    const onStaged = (): void => this.worker.nudge();
    this.approvals = new FeedApprovals(this.#pool, this.reads, onStaged);
    const isBusy = options.isBusy ?? (() => false);
    this.#uploads = new FeedUploads(this.#pool, rules, this.reads, onStaged, isBusy, options.limits);
  }

  /** See {@link FeedUploads.receive}. */
  receive(upload: FeedUpload): Promise<Answer<Feed>> {
    return this.#uploads.receive(upload);
  }

  async close(): Promise<void> {
    await this.worker.stop();
    await this.#pool.end();
  }
}
