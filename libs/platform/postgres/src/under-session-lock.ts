import type pg from 'pg';

const LOCK = 'hashtextextended($1, 0)';

/**
 * Work that one replica does at a time, on the session that holds its advisory lock; null when another is at it. The lock
 * ends with a session that failed.
 */
export async function underSessionLock<T>(
  pool: pg.Pool,
  lock: string,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T | null> {
  const client = await pool.connect();
  let isBroken = true;
  try {
    const { rows } = await client.query<{ ours: boolean }>(`SELECT pg_try_advisory_lock(${LOCK}) AS ours`, [lock]);
    const done = rows[0]?.ours ? await work(client) : null;
    if (rows[0]?.ours) await client.query(`SELECT pg_advisory_unlock(${LOCK})`, [lock]);
    isBroken = false;
    return done;
  } finally {
    client.release(isBroken);
  }
}
