import { type Commit, failpoint } from '@onepool/platform-failpoints';
import type pg from 'pg';
import { isDefiniteFailure, TransactionOutcomeUnknownError, TransactionRolledBackError } from './errors.ts';
import { rollBack } from './roll-back.ts';
import { sentTogether } from './sent-together.ts';

/** What a transaction comes to: its result, and the statements that write it, or null to leave without a trace. */
export interface Settlement<T> {
  readonly result: T;
  readonly write: PipelinedWrite | null;
}

export interface PipelinedWrite {
  readonly commit: Commit;
  /** Sends the statements without waiting for answers; they are committed together, or none is. */
  readonly send: () => readonly Promise<unknown>[];
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

async function writeAndCommit(client: pg.PoolClient, { commit, send }: PipelinedWrite): Promise<void> {
  let sent: readonly Promise<unknown>[];
  try {
    await failpoint(commit.before);
    sent = sentTogether(client, () => [...send(), client.query('COMMIT')]);
  } catch (error) {
    // What cannot even be sent must not keep its connection, and the locks with it.
    await rollBack(client, error);
    throw error;
  }
  const { failure, isBroken } = endingOf(await Promise.allSettled(sent));
  client.release(isBroken);
  if (failure !== null) throw failure;
  await failpoint(commit.after);
}

/**
 * A transaction in one round trip, for statements that need nothing of each other's answers. Those of several may be
 * sent behind one another on one connection; it stays the caller's, to be given up after a failure that is not definite.
 *
 * Endings are those of {@link inPipelinedTransaction}.
 */
export async function transactionSentAtOnce<T extends readonly unknown[]>(
  client: pg.PoolClient,
  commit: Commit,
  write: () => { readonly [I in keyof T]: Promise<T[I]> },
): Promise<T> {
  await failpoint(commit.before);
  const sent = sentTogether(client, () => [client.query('BEGIN'), ...write(), client.query('COMMIT')]);
  const settled = await Promise.allSettled<unknown>(sent);
  const { failure } = endingOf(settled);
  if (failure !== null) throw failure;
  await failpoint(commit.after);
  const answers = settled.slice(1, -1).map((one) => (one.status === 'fulfilled' ? one.value : undefined));
  return answers as unknown as T;
}

/** How a transaction ended whose last statement was COMMIT, and whether its session is of no more use. */
function endingOf(settled: readonly PromiseSettledResult<unknown>[]): {
  readonly failure: Error | null;
  readonly isBroken: boolean;
} {
  const commit = settled.at(-1);
  const failures = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  const definite = failures.find(isDefiniteFailure);
  // A write that the server refused turns COMMIT into ROLLBACK: the session is as good as new.
  const isBroken = failures.length > 0 && (definite === undefined || commit?.status === 'rejected');
  if (definite !== undefined) return { failure: definite, isBroken };
  if (failures.length > 0) return { failure: new TransactionOutcomeUnknownError(failures[0]), isBroken };
  const isUndone = commit?.status === 'fulfilled' && (commit.value as pg.QueryResult).command === 'ROLLBACK';
  return { failure: isUndone ? new TransactionRolledBackError() : null, isBroken };
}
