/** Applies one chunk of a reset: a range of SKU keys, one transaction. */
import { partitionOf } from '@onepool/platform-messaging';
import { inTransaction } from '@onepool/platform-postgres';
import type pg from 'pg';
import { type ChunkDone, lockChunkGates, lockFeed } from './chunk.ts';
import { type FeedRecord, stageTableOf } from './feed-record.ts';
import { resetStatement } from './reset-statement.ts';

export interface ApplyContext {
  readonly pool: pg.Pool;
  readonly partitionCount: number;
  readonly leaseSeconds: number;
}

/** Settles about `size` rows after the cursor; null when none are left. */
export async function applyResetChunk(
  { pool, partitionCount, leaseSeconds }: ApplyContext,
  feed: FeedRecord,
  cursor: number,
  size: number,
): Promise<ChunkDone | null> {
  const table = stageTableOf(feed);
  const range = await pool.query<{ upto: number | null }>({
    name: `range-${table}`,
    text: `SELECT max(sku_key) AS upto FROM (SELECT sku_key FROM ${table} WHERE sku_key > $1 ORDER BY sku_key LIMIT $2) next`,
    values: [cursor, size],
  });
  const upto = range.rows[0]?.upto ?? null;
  if (upto === null) return null;
  return inTransaction(pool, async (client) => {
    const select = `SELECT sku_key FROM ${table} WHERE sku_key > $1 AND sku_key <= $2`;
    const { skus, codes } = await lockChunkGates(client, select, [cursor, upto]);
    const now = await lockFeed(client, feed, cursor);
    const { rows } = await client.query<{ rows: number; applied: number }>({
      name: `reset-${table}`,
      text: resetStatement(feed),
      values: [
        feed.feed_key,
        cursor,
        upto,
        skus,
        codes,
        codes.map((code) => partitionOf(code, partitionCount)),
        now,
        feed.source,
        feed.id,
        feed.trace,
        leaseSeconds,
      ],
    });
    return { rows: rows[0]?.rows ?? 0, changed: (rows[0]?.applied ?? 0) > 0, upto };
  });
}
