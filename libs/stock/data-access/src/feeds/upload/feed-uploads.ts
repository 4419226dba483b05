/** Takes feeds in: begins an upload, or one that was cut or refused anew, and ends it with its reason. */
import { FEED_BYTES_MAX, FEED_ROWS_MAX, type Feed, type FeedQuery } from '@onepool/contracts';
import { timeOf } from '@onepool/platform-clock';
import { commitPoint, committing } from '@onepool/platform-failpoints';
import { inTransaction } from '@onepool/platform-postgres';
import { COUNTED_STATES, type NodeKey, type SellingRules, reject, placeInTime } from '@onepool/stock-domain';
import type pg from 'pg';
import type { Doer } from '../../requests/command.ts';
import type { Answer } from '../../requests/refusal.ts';
import { bodyHash, nodeKeys, reservedName } from '../../requests/resolve.ts';
import { SourceBook } from '../../sources/source-book.ts';
import type { RulesSource } from '../../catalogue/rules-source.ts';
import { measureOf } from '../../repository/watermarks.ts';
import type { FeedReads } from '../feed-reads.ts';
import type { FeedRecord } from '../feed-record.ts';
import { MeteredBody } from './metered-body.ts';
import { RowIntake } from './row-intake.ts';
import { type FeedFormat, RowReader } from './row-reader.ts';
import { createStage, dropStage } from './staging.ts';
import { UploadRefusedError, superseded, tooLarge } from './upload-refused.ts';
import { demandSameBody, demandWhole, failureOf } from './whole-upload.ts';

const BEGIN = commitPoint('stock.feed_begin');
const RECEIVED = commitPoint('stock.feed_received');
const FAIL = commitPoint('stock.feed_fail');

export interface FeedLimits {
  /** Uncompressed. */
  readonly bytesMax: number;
  readonly rowsMax: number;
  /** Bytes that may come without a row among them. */
  readonly bytesWithoutRowMax: number;
  /** Spreadsheets write a million of them at most. */
  readonly emptyLinesMax: number;
}

const LIMITS: FeedLimits = {
  bytesMax: FEED_BYTES_MAX,
  rowsMax: FEED_ROWS_MAX,
  bytesWithoutRowMax: 16 * 1_048_576,
  emptyLinesMax: 2_000_000,
};

/** What is sent, and by whom: ids are scoped to the actor. */
export interface FeedUpload extends Doer {
  readonly query: FeedQuery;
  readonly format: FeedFormat;
  /** Uncompressed. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly trace: string | null;
  /** Milliseconds: when it was sent, by the clock that its times are of. */
  readonly sentAt?: number | null;
}

export class FeedUploads {
  readonly #pool: pg.Pool;
  readonly #rules: RulesSource;
  readonly #sources: SourceBook;
  readonly #reads: FeedReads;
  readonly #onStaged: () => void;
  readonly #isBusy: () => boolean;
  readonly #limits: Partial<FeedLimits>;

  constructor(
    pool: pg.Pool,
    rules: RulesSource,
    reads: FeedReads,
    onStaged: () => void,
    isBusy: () => boolean,
    limits: Partial<FeedLimits> = {},
  ) {
    this.#pool = pool;
    this.#rules = rules;
    this.#sources = new SourceBook(pool);
    this.#reads = reads;
    this.#onStaged = onStaged;
    this.#isBusy = isBusy;
    this.#limits = limits;
  }

  /**
   * Receives a feed whole; it is applied afterwards. A feed that has been received before answers with its state, if the
   * body is the same, of which only the hash is taken. Cut short, it stays `receiving` and may be sent again; so may one that was refused, mended.
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
        await this.#takeIn(upload, feed, rules, now);
        this.#onStaged();
      } else {
        await demandSameBody(upload.body, feed);
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
    const { duplicates = 'refuse', maxZeroedPercent = null, dryRun = false } = query;
    const captured = timeOf(capturedAt);
    const states = COUNTED_STATES.filter((state) => query.states?.split(',').includes(state)).map(measureOf);
    const told = [source, mode, measure, completeness, captured, node ?? null];
    const hash = bodyHash(['feed', ...told, duplicates, maxZeroedPercent, dryRun, ...states]);
    const sourceKey = await this.#sources.keyOf({ principal: actor, name: source });
    return inTransaction(this.#pool, BEGIN, async (connection) => {
      const now = await readClock(connection);
      const at = new Date(placeInTime(captured, { arrivedAt: now, sentAt: upload.sentAt ?? null }));
      const made = await connection.query<FeedRecord>(
        `INSERT INTO feed (actor, id, parameters_hash, source, mode, measure, completeness, captured_at, node_key, state, attempt,
                           trace, person, duplicates, max_zeroed_percent, dry_run, source_key, states, has_states, deducts_at, started_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'receiving', 1, $10, $11, $12, $13, $14, $15, $16::smallint[], $16::smallint[] <> '{}',
                 (SELECT deducts_at FROM source WHERE source_key = $15), clock_timestamp())
         ON CONFLICT (actor, id) DO NOTHING RETURNING *`,
        [
          ...[actor, id, hash, source, mode, measure, completeness, at, key, trace, person],
          ...[duplicates, maxZeroedPercent, dryRun, sourceKey, states],
        ],
      );
      const feed = made.rows[0] ?? (await again(connection, upload, hash));
      if (feed.state === 'receiving') {
        await createStage(connection, feed);
      }
      return { feed, now };
    });
  }

  /** An upload that is refused is over, and says why; one that is cut may be sent again. */
  async #takeIn(upload: FeedUpload, feed: FeedRecord, rules: SellingRules, now: number): Promise<void> {
    const { query, format } = upload;
    const { bytesMax, rowsMax, bytesWithoutRowMax, emptyLinesMax } = { ...LIMITS, ...this.#limits };
    const body = new MeteredBody(upload.body, { bytesMax, bytesWithoutRowMax }, tooLarge);
    const reader = new RowReader(format, {
      ...query,
      transmission: { arrivedAt: now, sentAt: upload.sentAt ?? null },
      capturedAt: feed.captured_at.getTime(),
    });
    const intake = new RowIntake({ pool: this.#pool, rules, isBusy: this.#isBusy, rowsMax, emptyLinesMax });
    try {
      const received = await intake.take(body, reader, feed);
      demandWhole(query, { received, isCut: !body.endsWithLine && reader.isLastLineBroken });
      await this.#finish(feed, received, body);
    } catch (error) {
      const failure = failureOf(error);
      if (failure !== null) {
        await intake.settled();
        await this.#fail(feed, failure);
      }
      throw error;
    }
  }

  async #fail(feed: FeedRecord, failure: string): Promise<void> {
    await inTransaction(this.#pool, FAIL, async (client) => {
      const { rowCount } = await client.query(
        `UPDATE feed SET state = 'failed', failure = $3, finished_at = clock_timestamp()
          WHERE feed_key = $1 AND attempt = $2 AND state = 'receiving'`,
        [feed.feed_key, feed.attempt, failure],
      );
      if (rowCount === 1) await dropStage(client, feed);
    });
  }

  /** `received`: rows that were read. Pieces are not flushed one by one, so a crash of the server may have lost some. */
  async #finish(feed: FeedRecord, received: number, body: MeteredBody): Promise<void> {
    const update = `
      UPDATE feed SET state = 'applying', staged_at = clock_timestamp(), body_hash = $4, body_size = $5
       WHERE feed_key = $1 AND attempt = $2 AND state = 'receiving' AND received = $3`;
    const values = [feed.feed_key, feed.attempt, received, body.digest(), body.bytes];
    const { rowCount } = await committing(RECEIVED, () => this.#pool.query(update, values));
    if (rowCount !== 1) throw superseded('another upload has taken over, or rows of this one were lost');
  }
}

/** A feed that was begun before: its state, or, if it was cut or refused, a new attempt that replaces what had arrived. */
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
  // One that retention has forgotten since; the caller tries again.
  if (!feed) throw superseded('the feed of this id has just been forgotten');
  if (!feed.parameters_hash.equals(hash))
    throw new UploadRefusedError('idempotency.mismatch', 'The id was used with other parameters.');
  if (feed.state !== 'receiving' && feed.state !== 'failed') return feed;
  await dropStage(connection, feed);
  await connection.query('DELETE FROM feed_refusal WHERE feed_key = $1', [feed.feed_key]);
  const replaced = await connection.query<FeedRecord>(
    `UPDATE feed SET state = 'receiving', failure = NULL, finished_at = NULL, attempt = attempt + 1, received = 0, staged = 0,
                     refused = 0, unreadable = 0, has_records = false, has_states = states <> '{}', prepared = false, absent = 0, body_hash = NULL,
                     body_size = NULL, staged_at = NULL, started_at = clock_timestamp(), touched_at = clock_timestamp(), person = $2
      WHERE feed_key = $1 RETURNING *`,
    [feed.feed_key, person],
  );
  return replaced.rows[0] ?? feed;
}

async function readClock(client: pg.PoolClient): Promise<number> {
  const { rows } = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  return rows[0]?.now.getTime() ?? 0;
}
