import { type Commit, failpoint } from '@onepool/platform-failpoints';
import type pg from 'pg';
import { isDefiniteFailure, TransactionOutcomeUnknownError, TransactionRolledBackError } from './errors.ts';
import { rollBack } from './roll-back.ts';

/**
 * Runs `work` between BEGIN and COMMIT on one connection and returns what it returns. `commit` names it for failpoints.
 *
 * An error of `work` rolls back and is rethrown as it is. An error at COMMIT is rethrown if the server itself refused,
 * and becomes a {@link TransactionOutcomeUnknownError} if the connection failed. A connection on which anything but a
 * plain rollback happened leaves the pool, so no later borrower inherits a broken or still busy session.
 *
 * @example const version = await inTransaction(pool, STEP, async (client) => (await client.query(sql, [sku])).rows[0].version);
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  commit: Commit,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let result: T;
  try {
    await client.query('BEGIN');
    result = await work(client);
    await failpoint(commit.before);
  } catch (error) {
    await rollBack(client, error);
    throw error;
  }
  await sendCommit(client);
  await failpoint(commit.after);
  return result;
}

async function sendCommit(client: pg.PoolClient): Promise<void> {
  let answer: pg.QueryResult;
  try {
    answer = await client.query('COMMIT');
  } catch (error) {
    client.release(true);
    throw isDefiniteFailure(error) ? error : new TransactionOutcomeUnknownError(error);
  }
  client.release();
  if (answer.command === 'ROLLBACK') throw new TransactionRolledBackError();
}
