/** What chunks of feeds have in common. Under the lock order, each takes its SKUs' gates first, and then the feed itself. */
import type { SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';
import type { FeedRecord } from '../feed-record.ts';
import type { Pace } from './pace.ts';

/** What chunks are applied with. */
export interface ApplyContext {
  readonly pace: Pace;
  /** Of one connection, with `pipeline`. */
  readonly pool: pg.Pool;
  readonly partitionCount: number;
  readonly leaseSeconds: number;
}

export interface ChunkGates {
  readonly skus: readonly SkuKey[];
  readonly codes: readonly string[];
  readonly versions: readonly number[];
}

/** Somebody else has gone on with the feed; what this worker was about to do is done. */
export class FeedMovedOnError extends Error {
  override readonly name = 'FeedMovedOnError';
}

/** What a chunk did. `upto` is the cursor after it. */
export interface ChunkDone {
  readonly changed: boolean;
  readonly upto: number;
  readonly tookMs: number;
}

/** Locks the gates of these SKUs, in order. */
export async function lockChunkGates(client: pg.PoolClient, skus: readonly SkuKey[]): Promise<ChunkGates> {
  const { rows } = await client.query<{ sku_key: number; version: number; code: string }>(
    `SELECT g.sku_key, g.version, s.code FROM sku_gate g JOIN sku_code s USING (sku_key)
      WHERE g.sku_key = ANY($1::int[]) ORDER BY g.sku_key FOR NO KEY UPDATE OF g`,
    [skus],
  );
  return {
    skus: rows.map((row) => row.sku_key),
    codes: rows.map((row) => row.code),
    versions: rows.map((row) => row.version),
  };
}

/**
 * Locks the feed, if it is where the caller believes, and gives the time (ms) after the locks.
 *
 * @throws FeedMovedOnError
 */
export async function lockFeed(client: pg.PoolClient, feed: FeedRecord, cursor: number): Promise<number> {
  const { rows } = await client.query<{ now: number }>(
    `SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now
       FROM feed WHERE feed_key = $1 AND state = 'applying' AND cursor = $2 FOR NO KEY UPDATE`,
    [feed.feed_key, cursor],
  );
  if (!rows[0]) throw new FeedMovedOnError(`feed ${feed.feed_key} is no longer at ${cursor}`);
  return rows[0].now;
}
