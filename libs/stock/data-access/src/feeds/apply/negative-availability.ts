/**
 * Another system that tells less than 0 available has promised more than it has. Here such a row counts 0; what is wrong over
 * there is an exception until a later count of availability tells the row without it. No promise is touched.
 */
import type pg from 'pg';
import { type FeedRecord, stageTableOf } from '../feed-record.ts';

/** Rows of the feed that count: none that was refused on the way. */
const COUNTED = (table: string): string => `
  counted AS (
    SELECT t.sku_key, t.node_key, -n.quantity AS units
      FROM ${table} t LEFT JOIN feed_refusal n ON n.feed_key = $1 AND n.line = t.line AND n.code = 'quantity.negative'
     WHERE NOT EXISTS (
       SELECT FROM feed_refusal r WHERE r.feed_key = $1 AND r.line = t.line AND t.line > 0 AND r.code <> 'quantity.negative'))`;

/** In the transaction that ends the feed, while its rows are still there. */
export async function noteNegativeAvailability(client: pg.PoolClient, feed: FeedRecord): Promise<void> {
  if (feed.mode !== 'reset' || feed.measure !== 'availability') return;
  const counted = COUNTED(stageTableOf(feed));
  await client.query(
    `WITH ${counted}
     UPDATE stock_exception e SET quantity = 0, closed_at = clock_timestamp()
       FROM counted c
      WHERE e.code = 'feed.negative_availability' AND e.closed_at IS NULL
        AND e.sku_key = c.sku_key AND e.node_key = c.node_key AND c.units IS NULL`,
    [feed.feed_key],
  );
  await client.query(
    `WITH ${counted}
     INSERT INTO stock_exception (code, sku_key, node_key, quantity, opened_at)
     SELECT 'feed.negative_availability', sku_key, node_key, units, clock_timestamp() FROM counted WHERE units > 0 ORDER BY 2, 3
     ON CONFLICT (code, sku_key, node_key) WHERE closed_at IS NULL DO UPDATE SET quantity = excluded.quantity`,
    [feed.feed_key],
  );
}
