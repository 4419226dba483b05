import type pg from 'pg';
import { isDefiniteFailure, TransactionOutcomeUnknownError } from './errors.ts';

/**
 * A transaction that is one statement and commits by itself: one round trip, and no lock outlives it.
 *
 * An error of the server is rethrown: nothing happened. A connection that fails on the way leaves the outcome unknown.
 */
export async function inOneStatement<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  statement: pg.QueryConfig,
): Promise<pg.QueryResult<Row>> {
  const client = await pool.connect();
  try {
    const result = await client.query<Row>(statement);
    client.release();
    return result;
  } catch (error) {
    const isDefinite = isDefiniteFailure(error);
    client.release(!isDefinite);
    throw isDefinite ? error : new TransactionOutcomeUnknownError(error);
  }
}
