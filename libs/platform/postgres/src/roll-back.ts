import type pg from 'pg';
import { classifyPgError } from './errors.ts';

/** Ends a transaction that `error` broke, and gives its connection back or up. */
export async function rollBack(client: pg.PoolClient, error: unknown): Promise<void> {
  // On a silent connection ROLLBACK would wait for the client's time-out once more. The server rolls back by itself
  // when the session ends.
  if (classifyPgError(error) === 'connection') return client.release(true);
  try {
    await client.query('ROLLBACK');
    client.release();
  } catch {
    client.release(true);
  }
}
