/** Applies one chunk of a reset: a range of SKU keys, one transaction in two round trips. */
import { partitionOf } from '@onepool/platform-messaging';
import { inPipelinedTransaction } from '@onepool/platform-postgres';
import type pg from 'pg';
import { inOrder } from '../in-order.ts';
import { type ChunkDone, lockFeed } from './chunk.ts';
import { type FeedRecord, stageTableOf } from './feed-record.ts';
import { type Density, resetStatement } from './reset-statement.ts';
import { BLOCK_MASK } from './watermarks.ts';

const KEYS_PER_SKU_WHEN_DENSE = 4;
const ROWS_FOR_A_WHOLE_BLOCK_MAX = 2_000;

/** How the rows of a feed lie in its staging table. */
export interface StageShape {
  readonly table: string;
  /** On the whole: rows over the span of SKU keys. */
  readonly rowsPerKey: number;
}

export interface ApplyContext {
  /** With `pipeline`. */
  readonly pool: pg.Pool;
  readonly shape: StageShape;
  readonly partitionCount: number;
  readonly leaseSeconds: number;
}

/** Settles about `size` rows after the cursor; null when none are left. */
export async function applyResetChunk(
  { pool, shape, partitionCount, leaseSeconds }: ApplyContext,
  feed: FeedRecord,
  cursor: number,
  size: number,
): Promise<ChunkDone | null> {
  let told: { readonly rows: number; readonly applied: number } | undefined;
  const upto = await inPipelinedTransaction(pool, async (client) => {
    const [chunk, now] = await inOrder([lockChunk(client, shape, cursor, size), lockFeed(client, feed, cursor)]);
    if (chunk === null) return { result: null, write: null };
    const { skus, versions, codes, end } = chunk;
    const density: Density = end - cursor <= skus.length * KEYS_PER_SKU_WHEN_DENSE ? 'dense' : 'sparse';
    const partitions = codes.map((code) => partitionOf(code, partitionCount));
    const { feed_key, source, id, trace } = feed;
    const write = async (): Promise<void> => {
      const { rows } = await client.query<{ rows: number; applied: number }>({
        name: `reset-${density}-${shape.table}`,
        text: resetStatement(feed, density),
        values: [feed_key, cursor, end, skus, versions, codes, partitions, now, source, id, trace, leaseSeconds],
      });
      told = rows[0];
    };
    return { result: end, write: () => [write()] };
  });
  return upto === null ? null : { rows: told?.rows ?? 0, changed: (told?.applied ?? 0) > 0, upto };
}

interface Chunk {
  readonly skus: readonly number[];
  readonly versions: readonly number[];
  readonly codes: readonly string[];
  /** The SKU key with which the chunk ends. */
  readonly end: number;
}

/**
 * Locks the gates of the next chunk, in order; null when no rows are left. A chunk is a range of keys that should hold
 * about `size` rows, if rows are spread as they are on the whole, and never holds more than twice as many, but for a
 * single SKU. Where that adds little it ends with its block of watermarks, so that the block is written once and whole.
 */
async function lockChunk(
  client: pg.PoolClient,
  { table, rowsPerKey }: StageShape,
  cursor: number,
  size: number,
): Promise<Chunk | null> {
  const keys = Math.max(1, Math.floor(size / rowsPerKey));
  const isWhole = size > BLOCK_MASK && rowsPerKey * (BLOCK_MASK + 1) <= ROWS_FOR_A_WHOLE_BLOCK_MAX;
  const { rows } = await client.query<LockedGate>({
    name: `lock-${table}`,
    text: `
      WITH first AS MATERIALIZED (SELECT min(sku_key) AS key FROM ${table} WHERE sku_key > $1::bigint),
      range AS MATERIALIZED (SELECT least((key + $2::bigint - 1) | $3::bigint, 2147483647) AS "end" FROM first),
      k AS MATERIALIZED (
        SELECT sku_key, count(*)::int AS rows
          FROM (SELECT sku_key FROM ${table} WHERE sku_key > $1::bigint AND sku_key <= (SELECT "end" FROM range)
                 ORDER BY sku_key LIMIT $4::int) next
         GROUP BY sku_key ORDER BY sku_key)
      SELECT g.sku_key, g.version, s.code, k.rows, (SELECT "end" FROM range)
        FROM k
       CROSS JOIN LATERAL (SELECT sku_key, version FROM sku_gate WHERE sku_key = k.sku_key FOR NO KEY UPDATE) g
       CROSS JOIN LATERAL (SELECT code FROM sku WHERE sku_key = k.sku_key OFFSET 0) s`,
    values: [cursor, keys, isWhole ? BLOCK_MASK : 0, 2 * size],
  });
  const isCut = rows.reduce((sum, row) => sum + row.rows, 0) >= 2 * size;
  // Of the SKU at which the limit cut, rows may be missing from the count; it is the next chunk's first.
  const whole = isCut && rows.length > 1 ? rows.slice(0, -1) : rows;
  const last = whole.at(-1);
  if (!last) return null;
  return {
    skus: whole.map(({ sku_key }) => sku_key),
    versions: whole.map(({ version }) => version),
    codes: whole.map(({ code }) => code),
    end: isCut ? last.sku_key : last.end,
  };
}

interface LockedGate {
  sku_key: number;
  version: number;
  code: string;
  rows: number;
  end: number;
}

export async function shapeOf(pool: pg.Pool, feed: FeedRecord): Promise<StageShape> {
  const table = stageTableOf(feed);
  const { rows } = await pool.query<{ keys: number | null; rows: number }>(
    `SELECT max(sku_key)::bigint - min(sku_key) + 1 AS keys, (SELECT staged FROM feed WHERE feed_key = $1) AS rows FROM ${table}`,
    [feed.feed_key],
  );
  const { keys = null, rows: staged = 0 } = rows[0] ?? {};
  return { table, rowsPerKey: keys === null ? 1 : Math.max(staged / keys, 1e-9) };
}
