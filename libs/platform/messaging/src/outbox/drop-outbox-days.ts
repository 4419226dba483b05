import assert from 'node:assert/strict';
import { commitPoint, committing } from '@onepool/platform-failpoints';
import { retryOnLock } from '@onepool/platform-postgres';
import pg from 'pg';

/** JetStream is rebuilt from the outbox, which therefore keeps at least as much as the stream does. */
export const MIN_OUTBOX_DAYS = 7;

const DROP = commitPoint('messaging.drop_outbox_day');

export interface DropOptions {
  /** A pool, or one session of it. */
  readonly pool: Pick<pg.Pool, 'query'>;
  readonly schema: string;
  /** A day goes when it has been over for so many. */
  readonly days: number;
  /** Ends it after the day that is being dropped. */
  readonly signal?: AbortSignal;
}

/** Drops days of the outbox that are old and published for certain, each whole. Returns their partitions' names. */
export async function dropOutboxDays({ pool, schema, days, signal }: DropOptions): Promise<readonly string[]> {
  assert(days >= MIN_OUTBOX_DAYS, `the outbox keeps at least ${MIN_OUTBOX_DAYS} days`);
  const statement = `SELECT ${pg.escapeIdentifier(schema)}.drop_outbox_day($1) AS dropped`;
  const gone: string[] = [];
  while (!signal?.aborted) {
    const drop = () => pool.query<{ dropped: string | null }>(statement, [days]);
    const { rows } = await retryOnLock(() => committing(DROP, drop));
    const dropped = rows[0]?.dropped ?? null;
    if (dropped === null) break;
    gone.push(dropped);
  }
  return gone;
}
