/**
 * Another system that tells less than 0 available has promised more than it has. Here such a row counts 0; what is wrong over
 * there is an exception until a later count of availability tells the row without it. No promise is touched.
 */
import type pg from 'pg';
import { CLOSED_COLUMNS, type ClosedRecord, type TellContext, tellClosed } from '../../unit-of-work/tell-closed.ts';
import { type FeedRecord, stageTableOf } from '../feed-record.ts';

/** Rows of the feed that count: none that was refused on the way. */
const COUNTED = (table: string): string => `
  counted AS (
    SELECT t.sku_key, t.node_key, -n.quantity AS units
      FROM ${table} t LEFT JOIN feed_refusal n ON n.feed_key = $1 AND n.line = t.line AND n.code = 'quantity.negative'
     WHERE NOT EXISTS (
       SELECT FROM feed_refusal r WHERE r.feed_key = $1 AND r.line = t.line AND t.line > 0 AND r.code <> 'quantity.negative'))`;

const isNoted = ({ mode, measure }: FeedRecord): boolean => mode === 'reset' && measure === 'availability';

const ENDING = (counted: string): string => `
  ${counted},
  ending AS (
    SELECT e.exception_key FROM stock_exception e JOIN counted c USING (sku_key, node_key)
     WHERE e.code = 'feed.negative_availability' AND e.closed_at IS NULL AND c.units IS NULL)`;

/** Before anything else is locked: what is told of a SKU is told under its gate. */
export async function lockNegativeAvailability(client: pg.PoolClient, feed: FeedRecord): Promise<void> {
  if (!isNoted(feed)) return;
  await client.query(
    `WITH ${ENDING(COUNTED(stageTableOf(feed)))}
     SELECT FROM sku_gate
      WHERE sku_key IN (SELECT e.sku_key FROM stock_exception e JOIN ending USING (exception_key))
      ORDER BY sku_key FOR NO KEY UPDATE`,
    [feed.feed_key],
  );
}

/** In the transaction that ends the feed, while its rows are still there. */
export async function noteNegativeAvailability(
  client: pg.PoolClient,
  feed: FeedRecord,
  context: TellContext,
): Promise<void> {
  if (!isNoted(feed)) return;
  const counted = COUNTED(stageTableOf(feed));
  const { rows } = await client.query<ClosedRecord>(
    `WITH ${ENDING(counted)}
     UPDATE stock_exception e SET quantity = 0, closed_at = clock_timestamp()
       FROM ending, sku_code s
      WHERE e.exception_key = ending.exception_key AND s.sku_key = e.sku_key
     RETURNING ${CLOSED_COLUMNS}`,
    [feed.feed_key],
  );
  await tellClosed(client, rows, context);
  await client.query(
    `WITH ${counted}
     INSERT INTO stock_exception (code, subject, sku_key, node_key, quantity, opened_at)
     SELECT 'feed.negative_availability', concat('stock/', sku_key, '/', node_key), sku_key, node_key, units, clock_timestamp()
       FROM counted WHERE units > 0 ORDER BY sku_key, node_key
     ON CONFLICT (code, subject) WHERE closed_at IS NULL DO UPDATE SET quantity = excluded.quantity`,
    [feed.feed_key],
  );
}
