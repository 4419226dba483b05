import type pg from 'pg';
import { isDefiniteFailure, TransactionOutcomeUnknownError, TransactionRolledBackError } from './errors.ts';
import { rollBack } from './roll-back.ts';
import { sentTogether } from './sent-together.ts';

/** What a transaction comes to: its result, and the statements that write it, or null to leave without a trace. */
export interface Settlement<T> {
  readonly result: T;
  /** Sends the statements without waiting for answers; they are committed together, or none is. */
  readonly write: (() => readonly Promise<unknown>[]) | null;
}

/**
 * A transaction in two round trips: BEGIN travels with whatever `decide` asks first, COMMIT with the writes. The pool
 * must have been created with `pipeline`.
 *
 * Endings are those of `inTransaction`: an error of `decide` or of a write rolls back and is rethrown; a connection that
 * fails once the writes were sent leaves the outcome unknown, since COMMIT was under way with them. Without writes the
 * transaction is rolled back, which releases its locks and costs no flush.
 */
export async function inPipelinedTransaction<T>(
  pool: pg.Pool,
  decide: (client: pg.PoolClient) => Promise<Settlement<T>>,
): Promise<T> {
  const client = await pool.connect();
  let settlement: Settlement<T>;
  try {
    const [begin, decided] = await Promise.allSettled(
      sentTogether(client, () => [client.query('BEGIN'), decide(client)]),
    );
    if (begin.status === 'rejected') throw begin.reason;
    if (decided.status === 'rejected') throw decided.reason;
    settlement = decided.value;
  } catch (error) {
    await rollBack(client, error);
    throw error;
  }
  if (settlement.write === null) await rollBack(client, null);
  else await writeAndCommit(client, settlement.write);
  return settlement.result;
}

async function writeAndCommit(client: pg.PoolClient, write: () => readonly Promise<unknown>[]): Promise<void> {
  let writes: readonly Promise<unknown>[];
  let commitSent: Promise<pg.QueryResult>;
  try {
    [writes, commitSent] = sentTogether(client, () => [write(), client.query('COMMIT')]);
  } catch (error) {
    // What cannot even be sent must not keep its connection, and the locks with it.
    await rollBack(client, error);
    throw error;
  }
  const [commit, ...written] = await Promise.allSettled([commitSent, ...writes]);
  const failures = [...written, commit].flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  const definite = failures.find(isDefiniteFailure);
  const broken = failures.length > 0 && (definite === undefined || commit.status === 'rejected');
  // A write that the server refused turns COMMIT into ROLLBACK: the session is as good as new.
  client.release(broken);
  if (definite !== undefined) throw definite;
  if (failures.length > 0) throw new TransactionOutcomeUnknownError(failures[0]);
  if (commit.status === 'fulfilled' && commit.value.command === 'ROLLBACK') throw new TransactionRolledBackError();
}
