import assert from 'node:assert/strict';
import pg from 'pg';

/** JetStream is rebuilt from the outbox, which therefore keeps at least as much as the stream does. */
export const MIN_OUTBOX_DAYS = 7;

export interface PruneOptions {
  /** A pool, or one session of it. */
  readonly pool: Pick<pg.Pool, 'query'>;
  readonly schema: string;
  /** Rows younger than this stay. At least 7 for the outbox, 8 for the inbox. */
  readonly days: number;
  /** Rows a statement, 5,000 unless told; each batch is its own short transaction. */
  readonly batchSize?: number;
  /** Ends the deletion after the batch under way. */
  readonly signal?: AbortSignal;
}

/** Deletes what is published for certain and older than `days`, in bounded batches. Returns how many rows went. */
export async function pruneOutbox(options: PruneOptions): Promise<number> {
  assert(options.days >= MIN_OUTBOX_DAYS, `the outbox keeps at least ${MIN_OUTBOX_DAYS} days`);
  const s = pg.escapeIdentifier(options.schema);
  // Ids grow with time but for the length of a transaction, so the oldest rows are the first of each partition's index.
  return deleteInBatches(
    options,
    `DELETE FROM ${s}.outbox WHERE id IN (
       SELECT o.id FROM ${s}.relay_cursor c CROSS JOIN LATERAL (
         SELECT id, recorded_at FROM ${s}.outbox
         WHERE partition = c.partition AND id <= c.low ORDER BY id LIMIT $2
       ) o
       WHERE o.recorded_at < clock_timestamp() - make_interval(days => $1) LIMIT $2)`,
  );
}

/**
 * Deletes inbox rows older than `days`. It must remember longer than the outbox keeps: a wiped stream is refilled with
 * everything retained there, and what the inbox forgot would take effect twice.
 */
export async function pruneInbox(options: PruneOptions): Promise<number> {
  assert(options.days > MIN_OUTBOX_DAYS, `the inbox keeps more than ${MIN_OUTBOX_DAYS} days`);
  const s = pg.escapeIdentifier(options.schema);
  return deleteInBatches(
    options,
    `DELETE FROM ${s}.inbox WHERE (consumer, event_id) IN (
       SELECT consumer, event_id FROM ${s}.inbox
       WHERE received_at < clock_timestamp() - make_interval(days => $1) ORDER BY received_at LIMIT $2)`,
  );
}

async function deleteInBatches({ pool, days, batchSize = 5_000, signal }: PruneOptions, sql: string): Promise<number> {
  for (let total = 0; ;) {
    const deleted = (await pool.query(sql, [days, batchSize])).rowCount ?? 0;
    total += deleted;
    if (deleted < batchSize || signal?.aborted) return total;
  }
}
