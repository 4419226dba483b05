/** Applies one chunk of a reset: a range of SKU keys, one transaction. */
import { partitionOf } from '@onepool/platform-messaging';
import { inTransaction } from '@onepool/platform-postgres';
import type pg from 'pg';
import { type ChunkDone, lockChunkGates, lockFeed } from './chunk.ts';
import { type FeedRecord, stageTableOf } from './feed-record.ts';
import { resetStatement } from './reset-statement.ts';
import { BLOCK_MASK } from './watermarks.ts';

const KEYS_PER_SKU_WHEN_DENSE = 4;
const ROWS_FOR_A_WHOLE_BLOCK_MAX = 2_000;

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
  const upto = await endOf(pool, table, cursor, size);
  if (upto === null) return null;
  return inTransaction(pool, async (client) => {
    const select = `SELECT sku_key FROM ${table} WHERE sku_key > $1 AND sku_key <= $2`;
    const { skus, codes, versions } = await lockChunkGates(client, select, [cursor, upto]);
    const now = await lockFeed(client, feed, cursor);
    const density = upto - cursor <= skus.length * KEYS_PER_SKU_WHEN_DENSE ? 'dense' : 'sparse';
    const { rows } = await client.query<{ rows: number; applied: number }>({
      name: `reset-${density}-${table}`,
      text: resetStatement(feed, density),
      values: [
        feed.feed_key,
        cursor,
        upto,
        skus,
        versions,
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

/**
 * The SKU key with which a chunk of about `size` rows ends, null when none are left. Where that adds little, it ends with
 * its block of watermarks, so that the block is written once and as a whole.
 */
async function endOf(pool: pg.Pool, table: string, cursor: number, size: number): Promise<number | null> {
  const { rows } = await pool.query<{ upto: number | null; rows: number }>({
    name: `range-${table}`,
    text: `SELECT max(sku_key) AS upto, count(*)::int AS rows
             FROM (SELECT sku_key FROM ${table} WHERE sku_key > $1 ORDER BY sku_key LIMIT $2) next`,
    values: [cursor, size],
  });
  const [found] = rows;
  if (!found || found.upto === null) return null;
  if (size <= BLOCK_MASK) return found.upto;
  const rowsPerKey = found.rows / (found.upto - cursor);
  return rowsPerKey * (BLOCK_MASK + 1) <= ROWS_FOR_A_WHOLE_BLOCK_MAX ? found.upto | BLOCK_MASK : found.upto;
}
