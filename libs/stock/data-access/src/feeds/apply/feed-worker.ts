/**
 * Applies staged feeds, in any replica. A feed is claimed by a lease that each chunk renews; a chunk's progress commits
 * with its effect, and a chunk begins by comparing the feed's cursor, so a worker that lost its lease without knowing
 * does no harm.
 */
import { commitPoint, committing } from '@onepool/platform-failpoints';
import { createPool, inTransaction } from '@onepool/platform-postgres';
import { inSpan } from '@onepool/platform-tracing';
import type pg from 'pg';
import { SupplyKeys } from '../../repository/supply-keys.ts';
import type { RulesSource } from '../../catalogue/rules-source.ts';
import { applyDelta } from './apply-delta.ts';
import { applyReset } from './apply-reset.ts';
import { applyStates } from './apply-states.ts';
import { type ChunkDone, FeedMovedOnError } from './chunk.ts';
import { type FeedRecord, stageTableOf } from '../feed-record.ts';
import { GUARD_LIMITS, type GuardLimits } from './guard.ts';
import type { TellContext } from '../../unit-of-work/tell-closed.ts';
import { closeNegativeAvailability, noteNegativeAvailability } from './negative-availability.ts';
import { Pace } from './pace.ts';
import { prepareFeed } from './prepare-feed.ts';
import { dropStage } from '../upload/staging.ts';

export interface FeedWorkerOptions {
  readonly url: string;
  readonly schema: string;
  /** Outbox partitions; the same number in every replica. */
  readonly partitionCount: number;
  /** Rows of a chunk; unless given they adapt to the time that a chunk takes. */
  readonly rowsPerChunk?: number;
  /** Whether commands have come in of late; then feeds give way to them. */
  readonly isBusy?: () => boolean;
  /** When a full count waits for approval; a fifth of 50 rows or more unless given. */
  readonly guard?: GuardLimits;
  /** Pause between looks for work, in milliseconds. Default 500. */
  readonly intervalMs?: number;
  readonly onError?: (error: unknown) => void;
  /** Called after a commit that wrote facts. */
  readonly onCommitted?: () => void;
}

/** Of chunks that one statement settles, and of those whose rows are decided one by one. */
const ROWS_PER_CHUNK_MAX = { inSql: 10_000, decided: 1_000 } as const;
const LEASE_SECONDS = 30;

const CLAIM = commitPoint('stock.feed_claim');
const REFUSE = commitPoint('stock.feed_refuse');
const LET_GO = commitPoint('stock.feed_let_go');
const FINISH = commitPoint('stock.feed_finish');

/**
 * A chunk's statement is large and its work is short: compiling it or planning it anew costs as much as running it. So
 * it is planned once, perhaps while the ledger is still empty, and must not settle for reading all of it each time.
 */
const CHUNK_PLANS = { plan_cache_mode: 'force_generic_plan', jit: 'off', enable_seqscan: 'off' };
const RETRY_PAUSE_MS = 200;

export class FeedWorker {
  #stopped = false;
  #running: Promise<void> = Promise.resolve();
  #wake: (() => void) | null = null;

  readonly #pool: pg.Pool;
  readonly #rules: RulesSource;
  readonly #supplyKeys: SupplyKeys;
  readonly #options: FeedWorkerOptions;

  constructor(pool: pg.Pool, rules: RulesSource, options: FeedWorkerOptions) {
    this.#supplyKeys = new SupplyKeys(pool);
    this.#pool = pool;
    this.#rules = rules;
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Looks for work now. */
  nudge(): void {
    this.#wake?.();
  }

  /** Ends after the chunk under way; the feed is taken up again by whoever comes next. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.nudge();
    await this.#running;
  }

  /** Applies what is due, one feed after the other, until nothing is. */
  async once(): Promise<void> {
    for (let feed = await this.#claim(); feed && !this.#stopped; feed = await this.#claim())
      await this.#applyInSpan(feed);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.once().catch((error: unknown) => this.#options.onError?.(error));
      if (!this.#stopped) await this.#pause(this.#options.intervalMs ?? 500);
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  async #claim(): Promise<FeedRecord | null> {
    const claim = `
      UPDATE feed SET lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
       WHERE feed_key = (SELECT feed_key FROM feed WHERE state = 'applying' AND lease_until <= clock_timestamp()
                          ORDER BY feed_key LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
      RETURNING *`;
    const { rows } = await committing(CLAIM, () => this.#pool.query<FeedRecord>(claim));
    return rows[0] ?? null;
  }

  /** Part of the trace of the upload, however much later and in whichever replica. */
  #applyInSpan(feed: FeedRecord): Promise<void> {
    const attributes = {
      'onepool.feed.id': feed.id,
      'onepool.feed.mode': feed.mode,
      'onepool.feed.rows': feed.staged,
      'db.system.name': 'postgresql',
    };
    return inSpan({ name: 'apply feed', kind: 'consumer', from: feed.trace, attributes }, () => this.#apply(feed));
  }

  async #apply(feed: FeedRecord): Promise<void> {
    try {
      const guard = this.#options.guard ?? GUARD_LIMITS;
      const isDue = await this.#onOwnConnection({ maintenance_work_mem: '128MB' }, (pool) =>
        prepareFeed(pool, feed, guard),
      );
      if (isDue) await this.#onOwnConnection(CHUNK_PLANS, (pool) => this.#applyChunks(pool, feed));
    } catch (error) {
      if (error instanceof FeedMovedOnError) return;
      await this.#letGo(feed);
      throw error;
    }
  }

  /** The statements prepared for one feed's staging table end with its connection. */
  async #onOwnConnection<T>(
    settings: Readonly<Record<string, string>>,
    work: (pool: pg.Pool) => Promise<T>,
  ): Promise<T> {
    const pool = createPool({
      url: this.#options.url,
      schema: this.#options.schema,
      pipeline: true,
      settings,
      max: 1,
      applicationName: `${this.#options.schema}-feed-apply`,
      statementTimeoutMs: 300_000,
      lockTimeoutMs: 10_000,
      idleInTransactionTimeoutMs: 2_000,
      // Nobody waits for it, and a busy server lets it in a little later.
      connectTimeoutMs: 10_000,
    });
    try {
      return await work(pool);
    } finally {
      await pool.end();
    }
  }

  async #applyChunks(pool: pg.Pool, feed: FeedRecord): Promise<void> {
    const { schema, partitionCount, rowsPerChunk, isBusy = () => false } = this.#options;
    const isDecided = feed.mode === 'delta' || feed.has_states;
    const rowsMax = isDecided ? ROWS_PER_CHUNK_MAX.decided : ROWS_PER_CHUNK_MAX.inSql;
    const pace = new Pace({ rowsPerChunk, rowsMax, isBusy });
    const context = {
      pool,
      schema,
      partitionCount,
      rules: this.#rules,
      supplyKeys: this.#supplyKeys,
      leaseSeconds: LEASE_SECONDS,
      pace,
    };
    const chunks = feed.mode === 'delta' ? applyDelta : feed.has_states ? applyStates : applyReset;
    let { cursor } = feed;
    const settled = ({ upto, changed, tookMs }: ChunkDone): void => {
      cursor = upto;
      pace.settled(tookMs);
      if (changed) this.#options.onCommitted?.();
    };
    while (!this.#stopped) {
      try {
        for await (const done of chunks(context, feed, cursor)) {
          settled(done);
          if (this.#stopped) break;
        }
        if (!this.#stopped) return await finish(pool, feed, { rules: this.#rules, schema, partitionCount });
      } catch (error) {
        if (!isOfItsRows(error)) throw error;
        if (!pace.narrow()) settled(await this.#refuseNext(pool, feed, cursor, error));
      }
    }
    await this.#letGo(feed);
  }

  /** One SKU (or line) that the database refuses, as a balance beyond its bounds, does not hold up the others. */
  async #refuseNext(pool: pg.Pool, feed: FeedRecord, cursor: number, error: unknown): Promise<ChunkDone> {
    this.#options.onError?.(error);
    const key = feed.mode === 'reset' ? 'sku_key' : 'line';
    return inTransaction(pool, REFUSE, async (client) => {
      const { rows } = await client.query<{ upto: number | null }>(
        `WITH next AS (SELECT min(${key}) AS upto FROM ${stageTableOf(feed)} WHERE ${key} > $2),
         bad AS (SELECT line FROM ${stageTableOf(feed)} JOIN next ON ${key} = upto),
         refused AS (
           INSERT INTO feed_refusal (feed_key, line, code, message)
           SELECT $1, line, 'row.failed', 'the row cannot be applied: a balance would leave its bounds' FROM bad)
         UPDATE feed SET cursor = upto, settled = settled + told.rows, refused = refused + told.rows,
                refused_applying = refused_applying + told.rows
           FROM next, (SELECT count(*) AS rows FROM bad) told
          WHERE feed_key = $1 AND cursor = $2 AND state = 'applying' AND upto IS NOT NULL RETURNING upto`,
        [feed.feed_key, cursor],
      );
      const done = rows[0];
      if (!done || done.upto === null) throw new FeedMovedOnError(`feed ${feed.feed_key} is no longer at ${cursor}`);
      return { changed: false, upto: done.upto, tookMs: 0 };
    });
  }

  async #letGo(feed: FeedRecord): Promise<void> {
    const release = `UPDATE feed SET lease_until = clock_timestamp() + interval '${RETRY_PAUSE_MS} milliseconds'
                      WHERE feed_key = $1 AND state = 'applying'`;
    // If even this fails the lease runs out by itself.
    await committing(LET_GO, () => this.#pool.query(release, [feed.feed_key])).catch(() => undefined);
  }
}

/** Whether the rows themselves are at fault: a value or a balance out of its bounds. Anything else may pass. */
const isOfItsRows = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^(22...|23514)$/.test(String(error.code));

async function finish(pool: pg.Pool, feed: FeedRecord, context: TellContext): Promise<void> {
  await closeNegativeAvailability({ ...context, pool, commit: FINISH, leaseSeconds: LEASE_SECONDS }, feed);
  await inTransaction(pool, FINISH, async (client) => {
    const { rowCount } = await client.query(
      `UPDATE feed SET state = 'done', finished_at = clock_timestamp() WHERE feed_key = $1 AND state = 'applying'`,
      [feed.feed_key],
    );
    if (rowCount !== 1) return;
    await noteNegativeAvailability(client, feed);
    await dropStage(client, feed);
  });
}
