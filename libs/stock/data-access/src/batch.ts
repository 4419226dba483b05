/** One batch, one transaction: lock → load → decide → write → commit. */
import { inTransaction } from '@onepool/platform-postgres';
import type pg from 'pg';
import type { Command, Outcome } from './command.ts';
import { BatchDecider } from './decide-batch.ts';
import { MissingGates, createGates, loadBatch } from './load.ts';
import type { ReservationKeys } from './reservation-keys.ts';
import type { RulesSource } from './rules-source.ts';
import type { SkuDirectory } from './sku-directory.ts';
import { Views } from './view.ts';
import { writeBatch } from './write.ts';

export interface BatchContext {
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly partitionCount: number;
  readonly rules: RulesSource;
  readonly directory: SkuDirectory;
  readonly reservationKeys: ReservationKeys;
  /** Called after a commit that wrote facts. */
  readonly onCommitted: () => void;
}

/** Leaves a transaction that has nothing to write, so that it ends in ROLLBACK and costs no flush. */
class NothingToWrite extends Error {
  constructor(readonly outcomes: readonly Outcome[]) {
    super('nothing to write');
  }
}

/** Runs the commands in order and answers each; throws only when none of them took effect, or when that is unknown. */
export async function runBatch(context: BatchContext, commands: readonly Command[]): Promise<readonly Outcome[]> {
  const holds = commands.filter(({ kind }) => kind === 'hold').length;
  const keys = await context.reservationKeys.take(holds);
  try {
    const outcomes = await inTransaction(context.pool, (client) => decideAndWrite(context, client, commands, keys));
    context.onCommitted();
    return outcomes;
  } catch (error) {
    if (error instanceof NothingToWrite) return error.outcomes;
    if (!(error instanceof MissingGates)) throw error;
    await createGates(context.pool, error.skus);
    return runBatch(context, commands);
  }
}

async function decideAndWrite(
  { schema, partitionCount, rules, directory }: BatchContext,
  client: pg.PoolClient,
  commands: readonly Command[],
  keys: readonly number[],
): Promise<readonly Outcome[]> {
  const state = await loadBatch(client, commands, rules);
  await directory.learn(state.supplies.keys(), client);
  const versionsBefore = new Map(state.versions);
  const views = new Views(state.rules, directory);
  let used = 0;
  const decider = new BatchDecider(state, views, () => {
    const key = keys[used++];
    if (key === undefined) throw new Error('Broken invariant: more reservations than keys');
    return key;
  });
  const outcomes = decider.decide(commands);
  if (decider.writes.isEmpty) throw new NothingToWrite(outcomes);
  await writeBatch(client, decider.writes, {
    now: state.now,
    views,
    versionsBefore,
    schema,
    partitionCount,
  });
  return outcomes;
}
