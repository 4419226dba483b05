/**
 * One batch, one transaction. Holds of SKUs that are remembered take one round trip if nobody else has written
 * meanwhile; everything else two: lock and load; decide; write and commit.
 */
import { commitPoint } from '@onepool/platform-failpoints';
import {
  type Settlement,
  TransactionOutcomeUnknownError,
  classifyPgError,
  inPipelinedTransaction,
} from '@onepool/platform-postgres';
import type pg from 'pg';
import { type Command, type Outcome, skusOf } from './command.ts';
import { BatchDecider } from './decide-batch.ts';
import { type BatchState, MissingGates, createGates, loadBatch } from './load.ts';
import type { DatabaseClock } from './database-clock.ts';
import { GATE_PATIENCE_MS, GatesHeldError, gatesHeld } from './held-gates.ts';
import { OptimisticBatches } from './optimistic-batch.ts';
import type { ReservationKeys } from './reservation-keys.ts';
import type { KnownSupplies } from './known-supplies.ts';
import type { RulesSource } from './rules-source.ts';
import type { CodeBook } from './code-book.ts';
import { Views } from './view.ts';
import { sendWrites } from './write/write.ts';

export interface BatchContext {
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly partitionCount: number;
  readonly rules: RulesSource;
  readonly codes: CodeBook;
  readonly reservationKeys: ReservationKeys;
  readonly supplies: KnownSupplies;
  readonly clock: DatabaseClock;
  readonly onDecided: (how: 'optimistic' | 'locked') => void;
  readonly onChained: () => void;
  /** Called after each batch that was not refused by the database. */
  readonly onCommitted: () => void;
}

/**
 * Runs batches of one lane: the commands of each in order, and every one answered. Throws only when none of them took
 * effect, or when that is unknown; GatesHeldError when some have to wait for gates that others hold.
 */
export class BatchRunner {
  readonly #optimistic: OptimisticBatches;
  /** Resolves when the batch that came last has ended. */
  #last: Promise<void> = Promise.resolve();

  readonly #context: BatchContext;
  readonly #place: keyof typeof GATE_PATIENCE_MS;

  /** Of the main lane's, or of those that wait aside. */
  constructor(context: BatchContext, place: keyof typeof GATE_PATIENCE_MS) {
    this.#context = context;
    this.#place = place;
    this.#optimistic = new OptimisticBatches(context);
  }

  /** `onSent` is called if the next batch may be decided before this one is answered. */
  async run(commands: readonly Command[], onSent: () => void): Promise<readonly Outcome[]> {
    const before = this.#last;
    const running = this.#run(commands, onSent, before);
    this.#last = running.then(
      () => undefined,
      () => undefined,
    );
    return running;
  }

  #run(commands: readonly Command[], onSent: () => void, before: Promise<void>): Promise<readonly Outcome[]> {
    const { reservationKeys, onDecided, onCommitted } = this.#context;
    return this.#forgetting(async () => {
      const keys = await reservationKeys.take(holdsAmong(commands));
      const outcomes = await this.#optimistic.run(commands, keys, onSent).catch(this.#heldIsNull);
      if (outcomes === null) {
        await before;
        return this.#underLocks(commands);
      }
      onDecided('optimistic');
      onCommitted();
      return outcomes;
    });
  }

  async #underLocks(commands: readonly Command[]): Promise<readonly Outcome[]> {
    this.#context.onDecided('locked');
    try {
      return await runUnderLocks(this.#context, commands, GATE_PATIENCE_MS[this.#place]);
    } catch (error) {
      if (classifyPgError(error) !== 'lock_timeout') throw error;
      const held = await gatesHeld(this.#context.pool, skusOf(commands));
      throw held.size > 0 ? new GatesHeldError(held) : error;
    }
  }

  /** Aside, held gates are waited for, which needs the locks. */
  #heldIsNull = (error: unknown): null => {
    if (this.#place === 'aside' && error instanceof GatesHeldError) return null;
    throw error;
  };

  /** After a lost connection nothing is known any more. */
  async #forgetting<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const isLost = error instanceof TransactionOutcomeUnknownError || classifyPgError(error) === 'connection';
      if (isLost) this.#context.supplies.forget();
      throw error;
    }
  }
}

const BATCH = commitPoint('stock.batch');
const holdsAmong = (commands: readonly Command[]): number => commands.filter(({ kind }) => kind === 'hold').length;

async function runUnderLocks(
  context: BatchContext,
  commands: readonly Command[],
  patienceMs: number,
): Promise<readonly Outcome[]> {
  const keys = await context.reservationKeys.take(holdsAmong(commands));
  try {
    const { outcomes, state } = await inPipelinedTransaction(context.pool, (client) =>
      decide(context, client, commands, keys, patienceMs),
    );
    for (const [sku, supply] of state.supplies) context.supplies.remember(supply, state.versions.get(sku) ?? 0);
    context.onCommitted();
    // Thousands of holds ran out at once: that many were reaped, and the commands are decided when no more are due.
    return state.hasMoreOverdue ? await runUnderLocks(context, commands, patienceMs) : outcomes;
  } catch (error) {
    if (!(error instanceof MissingGates)) throw error;
    await createGates(context.pool, error.skus);
    return runUnderLocks(context, commands, patienceMs);
  }
}

interface Decided {
  readonly outcomes: readonly Outcome[];
  /** As it is once the batch has been committed. */
  readonly state: BatchState;
}

async function decide(
  { schema, partitionCount, rules, codes, supplies, clock }: BatchContext,
  client: pg.PoolClient,
  commands: readonly Command[],
  keys: readonly number[],
  patienceMs: number,
): Promise<Settlement<Decided>> {
  const state = await loadBatch(client, commands, rules, supplies, patienceMs);
  clock.heard(state.now);
  await codes.learn(state.supplies.keys(), client);
  const versionsBefore = new Map(state.versions);
  const views = new Views(state.rules, codes);
  let used = 0;
  const decider = new BatchDecider(state, views, () => {
    const key = keys[used++];
    if (key === undefined) throw new Error('Broken invariant: more reservations than keys');
    return key;
  });
  const outcomes = decider.decide(state.hasMoreOverdue ? [] : commands);
  if (decider.writes.isEmpty) return { result: { outcomes, state }, write: null };
  const writing = { now: state.now, views, versionsBefore, schema, partitionCount };
  const send = () => sendWrites(client, decider.writes, writing);
  return { result: { outcomes, state }, write: { commit: BATCH, send } };
}
