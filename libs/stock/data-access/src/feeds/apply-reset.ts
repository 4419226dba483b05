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

export interface ApplyContext {
  /** With `pipeline`. */
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
  let told: { readonly rows: number; readonly applied: number } | undefined;
  const upto = await inPipelinedTransaction(pool, async (client) => {
    const [chunk, now] = await inOrder([lockChunk(client, table, cursor, size), lockFeed(client, feed, cursor)]);
    if (chunk === null) return { result: null, write: null };
    const { skus, versions, codes, end } = chunk;
    const density: Density = end - cursor <= skus.length * KEYS_PER_SKU_WHEN_DENSE ? 'dense' : 'sparse';
    const partitions = codes.map((code) => partitionOf(code, partitionCount));
    const { feed_key, source, id, trace } = feed;
    const write = async (): Promise<void> => {
      const { rows } = await client.query<{ rows: number; applied: number }>({
        name: `reset-${density}-${table}`,
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
 * Locks the gates of the next chunk, in order; null when no rows are left. Where it adds little, a chunk ends with its
 * block of watermarks, so that the block is written once and as a whole.
 */
async function lockChunk(client: pg.PoolClient, table: string, cursor: number, size: number): Promise<Chunk | null> {
  const { rows } = await client.query<{ sku_key: number; version: number; code: string; end: number }>({
    name: `lock-${table}`,
    text: `
      WITH reach AS MATERIALIZED (
        SELECT max(sku_key) AS last, count(*) AS rows
          FROM (SELECT sku_key FROM ${table} WHERE sku_key > $1::bigint ORDER BY sku_key LIMIT $2::int) next),
      chunk AS MATERIALIZED (
        SELECT CASE WHEN $2::int > ${BLOCK_MASK} AND rows * ${BLOCK_MASK + 1} <= ${ROWS_FOR_A_WHOLE_BLOCK_MAX} * (last - $1::bigint)
                    THEN last | ${BLOCK_MASK} ELSE last END AS "end" FROM reach)
      SELECT g.sku_key, g.version, s.code, chunk."end"
        FROM chunk
       CROSS JOIN LATERAL (
         SELECT DISTINCT sku_key FROM ${table} WHERE sku_key > $1::bigint AND sku_key <= chunk."end" ORDER BY sku_key) k
       CROSS JOIN LATERAL (SELECT sku_key, version FROM sku_gate WHERE sku_key = k.sku_key FOR NO KEY UPDATE) g
       CROSS JOIN LATERAL (SELECT code FROM sku WHERE sku_key = k.sku_key OFFSET 0) s`,
    values: [cursor, size],
  });
  const [first] = rows;
  if (!first) return null;
  return {
    skus: rows.map(({ sku_key }) => sku_key),
    versions: rows.map(({ version }) => version),
    codes: rows.map(({ code }) => code),
    end: first.end,
  };
}
