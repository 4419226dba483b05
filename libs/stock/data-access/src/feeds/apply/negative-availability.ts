/**
 * Another system that tells less than 0 available has promised more than it has. Here such a row counts 0; what is wrong over
 * there is an exception until a later count of availability tells the row without it. No promise is touched.
 */
import type { Commit } from '@onepool/platform-failpoints';
import { inTransaction } from '@onepool/platform-postgres';
import type { SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';
import { CLOSED_COLUMNS, type ClosedRecord, type TellContext, tellClosed } from '../../unit-of-work/tell-closed.ts';
import { type FeedRecord, stageTableOf } from '../feed-record.ts';

/** What is told of a SKU is told under its gate, and so many gates are locked at once; of a SKU all nodes are told together. */
const EXCEPTIONS_PER_PAGE = 1_000;

const isNoted = ({ mode, measure }: FeedRecord): boolean => mode === 'reset' && measure === 'availability';

interface ClosingContext extends TellContext {
  readonly pool: pg.Pool;
  readonly commit: Commit;
  readonly leaseSeconds: number;
}

/**
 * Closes what the feed tells without it, page by page, each in a transaction of its own. It comes before the feed's end: whoever goes on
 * with the feed of a worker that has died finds what is still open.
 */
export async function closeNegativeAvailability(context: ClosingContext, feed: FeedRecord): Promise<void> {
  if (!isNoted(feed)) return;
  const { pool, commit } = context;
  for (let after: SkuKey | null = 0; after !== null;) {
    const from: SkuKey = after;
    after = await inTransaction(pool, commit, (client) => closePage(client, context, feed, from));
  }
}

/** Answers the last SKU of the page; null behind the last one, or when somebody else has ended the feed. */
async function closePage(
  client: pg.PoolClient,
  { schema, partitionCount, rules, leaseSeconds }: ClosingContext,
  feed: FeedRecord,
  after: SkuKey,
): Promise<SkuKey | null> {
  const page = await openAfter(client, feed, after);
  const last = page.at(-1)?.sku_key ?? null;
  const ending = page.filter(({ ends }) => ends);
  if (ending.length === 0) return last;
  await client.query('SELECT FROM sku_gate WHERE sku_key = ANY($1::int[]) ORDER BY sku_key FOR NO KEY UPDATE', [
    ending.map(({ sku_key }) => sku_key),
  ]);
  const { rowCount } = await client.query(
    `UPDATE feed SET lease_until = clock_timestamp() + make_interval(secs => $2) WHERE feed_key = $1 AND state = 'applying'`,
    [feed.feed_key, leaseSeconds],
  );
  if (rowCount !== 1) return null;
  const { rows } = await client.query<ClosedRecord>(
    `UPDATE stock_exception e SET quantity = 0, closed_at = clock_timestamp() FROM sku_code s
      WHERE e.exception_key = ANY($1::bigint[]) AND e.closed_at IS NULL AND s.sku_key = e.sku_key
     RETURNING ${CLOSED_COLUMNS}`,
    [ending.map(({ exception_key }) => exception_key)],
  );
  await tellClosed(client, rows, { schema, partitionCount, rules });
  return last;
}

interface OpenRecord {
  readonly exception_key: number;
  readonly sku_key: SkuKey;
  /** Whether the feed tells the row without it. */
  readonly ends: boolean;
}

async function openAfter(client: pg.PoolClient, feed: FeedRecord, after: SkuKey): Promise<readonly OpenRecord[]> {
  const { rows } = await client.query<OpenRecord>(
    `WITH page AS MATERIALIZED (
       SELECT exception_key, sku_key, node_key FROM stock_exception
        WHERE code = 'feed.negative_availability' AND closed_at IS NULL AND sku_key > $2
        ORDER BY sku_key FETCH FIRST ${EXCEPTIONS_PER_PAGE} ROWS WITH TIES),
     told AS MATERIALIZED (SELECT p.exception_key, t.line FROM page p JOIN ${stageTableOf(feed)} t USING (sku_key, node_key)),
     refused AS MATERIALIZED (
       SELECT DISTINCT line FROM feed_refusal
        WHERE feed_key = $1 AND line IN (SELECT line FROM told) AND (line > 0 OR code = 'quantity.negative'))
     SELECT p.exception_key, p.sku_key, t.line IS NOT NULL AND r.line IS NULL AS ends
       FROM page p LEFT JOIN told t USING (exception_key) LEFT JOIN refused r USING (line) ORDER BY p.sku_key`,
    [feed.feed_key, after],
  );
  return rows;
}

/** Opens an exception for each row that was told below 0, in the transaction that ends the feed, while its rows are still there. */
export async function noteNegativeAvailability(client: pg.PoolClient, feed: FeedRecord): Promise<void> {
  if (!isNoted(feed)) return;
  await client.query(
    `INSERT INTO stock_exception (code, subject, sku_key, node_key, quantity, opened_at)
     SELECT 'feed.negative_availability', concat('stock/', t.sku_key, '/', t.node_key), t.sku_key, t.node_key, -n.quantity, clock_timestamp()
       FROM ${stageTableOf(feed)} t JOIN feed_refusal n ON n.feed_key = $1 AND n.line = t.line AND n.code = 'quantity.negative'
      WHERE n.quantity < 0 AND NOT EXISTS (
        SELECT FROM feed_refusal r WHERE r.feed_key = $1 AND r.line = t.line AND t.line > 0 AND r.code <> 'quantity.negative')
      ORDER BY t.sku_key, t.node_key
     ON CONFLICT (code, subject) WHERE closed_at IS NULL DO UPDATE SET quantity = excluded.quantity`,
    [feed.feed_key],
  );
}
