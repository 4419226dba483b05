import assert from 'node:assert/strict';
import { commitPoint, committing } from '@onepool/platform-failpoints';
import pg from 'pg';
import { MIN_OUTBOX_DAYS } from '../outbox/drop-outbox-days.ts';

/** A day of the outbox goes whole, so its first row is a day older then; and it goes late while somebody reads the table. */
const MIN_INBOX_DAYS = MIN_OUTBOX_DAYS + 3;

const PRUNE = commitPoint('messaging.prune_inbox');

export interface PruneOptions {
  /** A pool, or one session of it. */
  readonly pool: Pick<pg.Pool, 'query'>;
  readonly schema: string;
  /** Rows younger than this stay. At least 10. */
  readonly days: number;
  /** Rows a statement, 5,000 unless told; each batch is its own short transaction. */
  readonly batchSize?: number;
  /** Ends the deletion after the batch under way. */
  readonly signal?: AbortSignal;
}

/**
 * Deletes inbox rows older than `days`, in bounded batches. Returns how many went. It must remember longer than the outbox
 * keeps: a wiped stream is refilled with everything retained there, and what the inbox forgot would take effect twice.
 */
export async function pruneInbox({ pool, schema, days, batchSize = 5_000, signal }: PruneOptions): Promise<number> {
  assert(days >= MIN_INBOX_DAYS, `the inbox keeps at least ${MIN_INBOX_DAYS} days`);
  const s = pg.escapeIdentifier(schema);
  const remove = `
    DELETE FROM ${s}.inbox WHERE (consumer, event_id) IN (
      SELECT consumer, event_id FROM ${s}.inbox
       WHERE received_at < clock_timestamp() - make_interval(days => $1) ORDER BY received_at LIMIT $2)`;
  for (let total = 0; ;) {
    const { rowCount } = await committing(PRUNE, () => pool.query(remove, [days, batchSize]));
    total += rowCount ?? 0;
    if ((rowCount ?? 0) < batchSize || signal?.aborted) return total;
  }
}
