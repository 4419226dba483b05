/**
 * Uploads that nobody goes on with fail, and what ended long ago is forgotten: feeds with their refusals, exceptions that are closed, and
 * inspections of which all units were judged. Records that took effect are kept for good, for each does so once per source, ever.
 */
import { commitPoint, committing } from '@onepool/platform-failpoints';
import type pg from 'pg';

const ABANDON = commitPoint('stock.feed_abandon');
const FORGET_FEEDS = commitPoint('stock.forget_feeds');
const FORGET_EXCEPTIONS = commitPoint('stock.forget_exceptions');
const FORGET_INSPECTIONS = commitPoint('stock.forget_inspections');
const ROWS_PER_BATCH = 5_000;
const RECEIVING_HOURS_MAX = 24;

/** One at a time, each with its stage; an upload that comes to life again finds another state and ends. */
export async function failAbandonedUploads(client: pg.PoolClient, signal: AbortSignal): Promise<void> {
  const fail = `
    WITH abandoned AS (
      UPDATE feed SET state = 'failed', failure = 'the upload was cut, and not sent again', finished_at = clock_timestamp()
       WHERE feed_key = (
         SELECT feed_key FROM feed
          WHERE state = 'receiving' AND touched_at < clock_timestamp() - interval '${RECEIVING_HOURS_MAX} hours'
          ORDER BY touched_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
      RETURNING feed_key, attempt)
    SELECT drop_feed_stage(feed_key, attempt) FROM abandoned`;
  for (let isLeft = true; isLeft && !signal.aborted;)
    isLeft = ((await committing(ABANDON, () => client.query(fail))).rowCount ?? 0) > 0;
}

/** Refusals first, and a batch at a time, so that a feed of a million of them ends no statement by its time. */
export async function forgetFeeds(client: pg.PoolClient, days: number, signal: AbortSignal): Promise<void> {
  const old = `SELECT feed_key FROM feed WHERE finished_at < clock_timestamp() - make_interval(days => $1)`;
  await inBatches(signal, () =>
    committing(FORGET_FEEDS, () =>
      client.query(
        `DELETE FROM feed_refusal WHERE (feed_key, refusal_key) IN (
           SELECT feed_key, refusal_key FROM feed_refusal WHERE feed_key IN (${old}) LIMIT ${ROWS_PER_BATCH})`,
        [days],
      ),
    ),
  );
  await inBatches(signal, () =>
    committing(FORGET_FEEDS, () =>
      client.query(
        `DELETE FROM feed WHERE feed_key IN (
           ${old} AND NOT EXISTS (SELECT FROM feed_refusal r WHERE r.feed_key = feed.feed_key)
            ORDER BY finished_at LIMIT ${ROWS_PER_BATCH})`,
        [days],
      ),
    ),
  );
}

export const forgetExceptions = (client: pg.PoolClient, days: number, signal: AbortSignal): Promise<void> =>
  inBatches(signal, () =>
    committing(FORGET_EXCEPTIONS, () =>
      client.query(
        `DELETE FROM stock_exception WHERE exception_key IN (
           SELECT exception_key FROM stock_exception WHERE closed_at < clock_timestamp() - make_interval(days => $1)
            ORDER BY closed_at LIMIT ${ROWS_PER_BATCH})`,
        [days],
      ),
    ),
  );

/** Those with nothing open. What was judged stays in the ledger. */
export const forgetInspections = (client: pg.PoolClient, days: number, signal: AbortSignal): Promise<void> =>
  inBatches(signal, () =>
    committing(FORGET_INSPECTIONS, () =>
      client.query(
        `DELETE FROM inspection WHERE inspection_key IN (
           SELECT inspection_key FROM inspection WHERE closed_at < clock_timestamp() - make_interval(days => $1)
            ORDER BY closed_at LIMIT ${ROWS_PER_BATCH})`,
        [days],
      ),
    ),
  );

async function inBatches(signal: AbortSignal, remove: () => Promise<{ rowCount: number | null }>): Promise<void> {
  for (let isLeft = true; isLeft && !signal.aborted;) isLeft = ((await remove()).rowCount ?? 0) === ROWS_PER_BATCH;
}
