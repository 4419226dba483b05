/**
 * Applies a reset, chunk by chunk. A chunk is a range of SKU keys and one transaction in one round trip: what is in it is
 * read from the staging table beforehand, which nobody changes any more, so that locks are held only while the database
 * works. While one chunk is being applied the next waits behind it on the same connection.
 */
import { transactionSentAtOnce } from '@onepool/platform-postgres';
import type pg from 'pg';
import { type ApplyContext, type ChunkDone, FeedMovedOnError } from './chunk.ts';
import type { FeedRecord } from '../feed-record.ts';
import { type Chunk, RESET_CHUNK, type ResetPlan, nextChunk, planReset, resetQuery } from './reset-chunk.ts';

/**
 * Settles what lies after the cursor, at the context's pace; ends when nothing is left. When a chunk fails, what is behind
 * it on the connection finds the cursor elsewhere and does nothing.
 *
 * @throws FeedMovedOnError when somebody else has gone on with the feed.
 */
export async function* applyReset(
  context: ApplyContext,
  feed: FeedRecord,
  cursor: number,
): AsyncGenerator<ChunkDone, void, void> {
  const { pool, pace } = context;
  const client = await pool.connect();
  let before: Promise<ChunkDone> | null = null;
  try {
    const plan = await planReset(client, feed, context);
    let chunk = await nextChunk(client, plan.shape, cursor, pace.rows);
    while (chunk !== null) {
      if (pace.isBusy) {
        if (before !== null) yield await before;
        before = null;
        await pace.pause();
      }
      // Asked ahead of the chunk, which answers it soonest.
      const next = nextChunk(client, plan.shape, chunk.end, pace.rows);
      const applying = applyChunk(client, context, plan, chunk, before);
      // Awaited below, unless something fails first.
      for (const one of [next, applying]) one.catch(() => undefined);
      const done = before;
      before = applying;
      if (done !== null) yield await done;
      chunk = await next;
    }
    if (before !== null) yield await before;
  } finally {
    const isSound = await (before ?? Promise.resolve()).then(
      () => true,
      () => false,
    );
    client.release(!isSound);
  }
}

/** `before`: the chunk that is under way on the same connection. */
async function applyChunk(
  client: pg.PoolClient,
  context: ApplyContext,
  plan: ResetPlan,
  chunk: Chunk,
  before: Promise<unknown> | null,
): Promise<ChunkDone> {
  let started = performance.now();
  // It is not under way before the one before has ended.
  before?.then(
    () => (started = performance.now()),
    () => undefined,
  );
  const { feed_key } = plan.feed;
  const { from, end, skus } = chunk;
  // Put together before anything is locked.
  const reset = resetQuery(plan, chunk, context);
  const [, , { rows: told }] = await transactionSentAtOnce(client, RESET_CHUNK, () => [
    client.query({
      name: 'lock-gates',
      text: 'SELECT FROM sku_gate WHERE sku_key = ANY($1::int[]) ORDER BY sku_key FOR NO KEY UPDATE',
      values: [skus],
    }),
    client.query({
      name: 'lock-feed',
      text: `SELECT FROM feed WHERE feed_key = $1 AND state = 'applying' AND cursor = $2 FOR NO KEY UPDATE`,
      values: [feed_key, from],
    }),
    client.query<{ applied: number }>(reset),
  ]);
  const [answer] = told;
  if (!answer) throw new FeedMovedOnError(`feed ${feed_key} is no longer at ${from}`);
  return { changed: answer.applied > 0, upto: end, tookMs: performance.now() - started };
}
