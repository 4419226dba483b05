/**
 * One batch, one transaction. Holds of SKUs that are remembered take one round trip if nobody else has written
 * meanwhile; everything else two: lock and load; decide; write and commit.
 */
import {
  type Settlement,
  TransactionOutcomeUnknownError,
  classifyPgError,
  inPipelinedTransaction,
} from '@onepool/platform-postgres';
import type pg from 'pg';
import type { Command, Outcome } from './command.ts';
import { BatchDecider } from './decide-batch.ts';
import { type BatchState, MissingGates, createGates, loadBatch } from './load.ts';
import type { DatabaseClock } from './database-clock.ts';
import { type Optimism, runOptimistically } from './optimistic-batch.ts';
import type { ReservationKeys } from './reservation-keys.ts';
import type { KnownSupplies } from './known-supplies.ts';
import type { RulesSource } from './rules-source.ts';
import type { SkuDirectory } from './sku-directory.ts';
import { Views } from './view.ts';
import { sendWrites } from './write/write.ts';

export interface BatchContext {
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly partitionCount: number;
  readonly rules: RulesSource;
  readonly directory: SkuDirectory;
  readonly reservationKeys: ReservationKeys;
  readonly supplies: KnownSupplies;
  readonly clock: DatabaseClock;
  /** Of one lane. */
  readonly optimism: Optimism;
  /** Called after each batch that was not refused by the database. */
  readonly onCommitted: () => void;
}

/** Runs the commands in order and answers each; throws only when none of them took effect, or when that is unknown. */
export async function runBatch(context: BatchContext, commands: readonly Command[]): Promise<readonly Outcome[]> {
  const holds = commands.filter(({ kind }) => kind === 'hold').length;
  const keys = await context.reservationKeys.take(holds);
  try {
    const foreseen = await runOptimistically(context, commands, keys);
    if (foreseen) {
      context.onCommitted();
      return foreseen;
    }
    const { outcomes, state } = await inPipelinedTransaction(context.pool, (client) =>
      decide(context, client, commands, keys),
    );
    for (const [sku, supply] of state.supplies) context.supplies.remember(supply, state.versions.get(sku) ?? 0);
    context.onCommitted();
    // Thousands of holds ran out at once: that many were reaped, and the commands are decided when no more are due.
    if (state.hasMoreOverdue) return await runBatch(context, commands);
    return outcomes;
  } catch (error) {
    if (error instanceof TransactionOutcomeUnknownError || classifyPgError(error) === 'connection')
      context.supplies.forget();
    if (!(error instanceof MissingGates)) throw error;
    await createGates(context.pool, error.skus);
    return runBatch(context, commands);
  }
}

interface Decided {
  readonly outcomes: readonly Outcome[];
  /** As it is once the batch has been committed. */
  readonly state: BatchState;
}

async function decide(
  { schema, partitionCount, rules, directory, supplies, clock }: BatchContext,
  client: pg.PoolClient,
  commands: readonly Command[],
  keys: readonly number[],
): Promise<Settlement<Decided>> {
  const state = await loadBatch(client, commands, rules, supplies);
  clock.heard(state.now);
  await directory.learn(state.supplies.keys(), client);
  const versionsBefore = new Map(state.versions);
  const views = new Views(state.rules, directory);
  let used = 0;
  const decider = new BatchDecider(state, views, () => {
    const key = keys[used++];
    if (key === undefined) throw new Error('Broken invariant: more reservations than keys');
    return key;
  });
  const outcomes = decider.decide(state.hasMoreOverdue ? [] : commands);
  if (decider.writes.isEmpty) return { result: { outcomes, state }, write: null };
  const writing = { now: state.now, views, versionsBefore, schema, partitionCount };
  return { result: { outcomes, state }, write: () => sendWrites(client, decider.writes, writing) };
}
