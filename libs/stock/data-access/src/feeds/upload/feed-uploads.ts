/**
 * Takes feeds in. Rows stream through: what arrives is parsed while the piece before it is stored, and neither the
 * reader nor the database ever waits for more than one piece, so that memory stays the same for ten rows and for
 * twenty million. The caller's backpressure is the stream's.
 */
import { setTimeout as delay, setImmediate as turnOfOthers } from 'node:timers/promises';
import { FEED_BYTES_MAX, FEED_ROWS_MAX, type Feed, type FeedQuery } from '@onepool/contracts';
import { timeOf } from '@onepool/platform-clock';
import { commitPoint, committing } from '@onepool/platform-failpoints';
import { inTransaction } from '@onepool/platform-postgres';
import { type NodeKey, type SellingRules, reject } from '@onepool/stock-domain';
import type pg from 'pg';
import type { Doer } from '../../requests/command.ts';
import { CodeBook } from '../../catalogue/code-book.ts';
import { FUTURE_TOLERANCE_MS } from '../../requests/event-times.ts';
import type { Answer } from '../../requests/refusal.ts';
import { bodyHash, nodeKeys, reservedName } from '../../requests/resolve.ts';
import type { RulesSource } from '../../catalogue/rules-source.ts';
import type { FeedReads } from '../feed-reads.ts';
import type { FeedRecord } from '../feed-record.ts';
import { wholeLines } from './line-splitter.ts';
import { RowBatch } from './row-batch.ts';
import { type FeedFormat, RowReader } from './row-reader.ts';
import { createStage, dropStage, stagePiece } from './staging.ts';
import { UploadRefusedError, superseded } from './upload-refused.ts';
import { isoTime } from '../../requests/views.ts';

const BEGIN = commitPoint('stock.feed_begin');
const RECEIVED = commitPoint('stock.feed_received');
const FAIL = commitPoint('stock.feed_fail');

const ROWS_PER_PIECE = 10_000;
/** With those of the chunk of bytes that completes it. */
const ROWS_EXPECTED = 20_000;
const PAUSE_MS_MAX = 50;
/** A feed in SKU order never needs more; one in random order over more SKUs asks again. */
const CODES_REMEMBERED_MAX = 200_000;

export interface FeedLimits {
  readonly bytesMax: number;
  readonly rowsMax: number;
}

/** What is sent, and by whom: ids are scoped to the actor. */
export interface FeedUpload extends Doer {
  readonly query: FeedQuery;
  readonly format: FeedFormat;
  /** Uncompressed. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly trace: string | null;
}

export class FeedUploads {
  readonly #pool: pg.Pool;
  readonly #rules: RulesSource;
  readonly #reads: FeedReads;
  readonly #onStaged: () => void;
  readonly #isBusy: () => boolean;
  readonly #limits: FeedLimits;

  constructor(
    pool: pg.Pool,
    rules: RulesSource,
    reads: FeedReads,
    onStaged: () => void,
    isBusy: () => boolean,
    limits: FeedLimits = { bytesMax: FEED_BYTES_MAX, rowsMax: FEED_ROWS_MAX },
  ) {
    this.#pool = pool;
    this.#rules = rules;
    this.#reads = reads;
    this.#onStaged = onStaged;
    this.#isBusy = isBusy;
    this.#limits = limits;
  }

  /**
   * Receives a feed whole; it is applied afterwards. A feed that has been received before answers with its state and its
   * body is left unread. Cut short, it stays `receiving` and may be sent again.
   *
   * @throws whatever the body's stream fails with
   */
  async receive(upload: FeedUpload): Promise<Answer<Feed>> {
    const { actor, query } = upload;
    const reserved = reservedName(query.source);
    if (reserved) return reject(reserved);
    const rules = await this.#rules.current();
    const nodes = nodeKeys(rules, query.node === undefined ? [] : [query.node]);
    if (!nodes.ok) return nodes;
    try {
      const { feed, now } = await this.#open(upload, nodes.value[0] ?? null);
      if (feed.state === 'receiving') {
        const received = await this.#stage(upload, feed, rules, now);
        await this.#finish(feed, received);
        this.#onStaged();
      }
    } catch (error) {
      if (error instanceof UploadRefusedError) return reject(error.refusal);
      throw error;
    }
    return this.#reads.feed(actor, query.id);
  }

  async #open(upload: FeedUpload, key: NodeKey | null): Promise<{ feed: FeedRecord; now: number }> {
    const { actor, person, query, trace } = upload;
    const { id, source, mode, measure, completeness = 'partial', capturedAt, node } = query;
    const captured = new Date(timeOf(capturedAt));
    const hash = bodyHash(['feed', source, mode, measure, completeness, captured.getTime(), node ?? null]);
    return inTransaction(this.#pool, BEGIN, async (connection) => {
      const now = await readClock(connection);
      const made = await connection.query<FeedRecord>(
        `INSERT INTO feed (actor, id, parameters_hash, source, mode, measure, completeness, captured_at, node_key, state, attempt, trace, person, started_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'receiving', 1, $10, $11, clock_timestamp())
         ON CONFLICT (actor, id) DO NOTHING RETURNING *`,
        [actor, id, hash, source, mode, measure, completeness, captured, key, trace, person],
      );
      const feed = made.rows[0] ?? (await again(connection, upload, hash));
      if (feed.state === 'receiving') {
        if (captured.getTime() > now + FUTURE_TOLERANCE_MS)
          throw new UploadRefusedError('feed.in_future', 'It is captured more than 5 minutes ahead.', {
            now: isoTime(now),
          });
        await createStage(connection, feed);
      }
      return { feed, now };
    });
  }

  async #stage(
    { query, format, body }: FeedUpload,
    feed: FeedRecord,
    rules: SellingRules,
    now: number,
  ): Promise<number> {
    const { mode, node } = query;
    const context = { mode, now, capturedAt: feed.captured_at.getTime(), ...(node === undefined ? {} : { node }) };
    const reader = new RowReader(format, context);
    const codes = new CodeBook(this.#pool, CODES_REMEMBERED_MAX);
    let stored: Promise<void> = Promise.resolve();
    let [batch, other] = [new RowBatch(ROWS_EXPECTED), new RowBatch(ROWS_EXPECTED)];
    let total = 0;
    let begun = performance.now();
    const store = async (): Promise<void> => {
      await stored;
      // While commands come in, half of the time is theirs; what was waited for on the wire was theirs already.
      if (this.#isBusy()) await delay(Math.min(performance.now() - begun, PAUSE_MS_MAX));
      begun = performance.now();
      other.clear();
      [batch, other] = [other, batch];
      stored = this.#storePiece(feed, other, codes, rules);
      // Whoever awaits it next gets the failure; until then it is not an unhandled one.
      stored.catch(() => undefined);
    };
    for await (const lines of wholeLines(this.#bounded(body, feed))) {
      for (let from: number | null = 0; from !== null;) {
        const before = batch.received;
        from = reader.read(lines, batch, from);
        total += batch.received - before;
        if (total > this.#limits.rowsMax) await this.#fail(feed, `more than ${this.#limits.rowsMax} rows`);
        if (batch.received >= ROWS_PER_PIECE) await store();
        // Bytes that have arrived are handed on without end; whoever else this process serves gets a turn between them.
        await turnOfOthers();
      }
    }
    await store();
    await stored;
    return total;
  }

  async #storePiece(feed: FeedRecord, batch: RowBatch, codes: CodeBook, rules: SellingRules): Promise<void> {
    const skuKeys = await codes.keysOf(batch.skus.list);
    const nodeKeys = batch.nodes.list.map((code) => rules.nodesByCode.get(code)?.key ?? null);
    await stagePiece(this.#pool, feed, { batch, skuKeys, nodeKeys });
  }

  async *#bounded(body: AsyncIterable<Uint8Array>, feed: FeedRecord): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > this.#limits.bytesMax)
        await this.#fail(feed, `more than ${this.#limits.bytesMax} bytes uncompressed`);
      yield chunk;
    }
  }

  async #fail(feed: FeedRecord, failure: string): Promise<never> {
    const update = `
      UPDATE feed SET state = 'failed', failure = $3, finished_at = clock_timestamp()
       WHERE feed_key = $1 AND attempt = $2 AND state = 'receiving'`;
    await committing(FAIL, () => this.#pool.query(update, [feed.feed_key, feed.attempt, failure]));
    await dropStage(this.#pool, feed);
    throw new UploadRefusedError('feed.too_large', failure);
  }

  /** `received`: rows that were read. Pieces are not flushed one by one, so a crash of the server may have lost some. */
  async #finish(feed: FeedRecord, received: number): Promise<void> {
    const update = `
      UPDATE feed SET state = 'applying', staged_at = clock_timestamp()
       WHERE feed_key = $1 AND attempt = $2 AND state = 'receiving' AND received = $3`;
    const values = [feed.feed_key, feed.attempt, received];
    const { rowCount } = await committing(RECEIVED, () => this.#pool.query(update, values));
    if (rowCount !== 1) throw superseded('another upload has taken over, or rows of this one were lost');
  }
}

/** A feed that was begun before: its state, or, if it was cut, a new attempt that replaces what had arrived. */
async function again(
  connection: pg.PoolClient,
  { actor, person, query: { id } }: FeedUpload,
  hash: Buffer,
): Promise<FeedRecord> {
  const { rows } = await connection.query<FeedRecord>(
    'SELECT * FROM feed WHERE actor = $1 AND id = $2 FOR NO KEY UPDATE',
    [actor, id],
  );
  const feed = rows[0];
  if (!feed) throw new Error('Broken invariant: feeds are never deleted');
  if (!feed.parameters_hash.equals(hash))
    throw new UploadRefusedError('idempotency.mismatch', 'The id was used with other parameters.');
  if (feed.state !== 'receiving') return feed;
  await dropStage(connection, feed);
  await connection.query('DELETE FROM feed_refusal WHERE feed_key = $1', [feed.feed_key]);
  const replaced = await connection.query<FeedRecord>(
    `UPDATE feed SET attempt = attempt + 1, received = 0, staged = 0, refused = 0, unreadable = 0, has_records = false,
                     started_at = clock_timestamp(), person = $2 WHERE feed_key = $1 RETURNING *`,
    [feed.feed_key, person],
  );
  return replaced.rows[0] ?? feed;
}

async function readClock(client: pg.PoolClient): Promise<number> {
  const { rows } = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  return rows[0]?.now.getTime() ?? 0;
}
