/**
 * Commits the batches of one queue, each as one transaction: without locks where that is possible, else under locks. A batch without
 * locks takes one round trip, one under locks two: lock and read; decide; write and commit.
 */
import { commitPoint } from '@onepool/platform-failpoints';
import {
  type Settlement,
  TransactionOutcomeUnknownError,
  classifyPgError,
  inPipelinedTransaction,
} from '@onepool/platform-postgres';
import type { HoldLine, SellingRules } from '@onepool/stock-domain';
import type pg from 'pg';
import { BatchDecider } from '../decision/decide-batch.ts';
import type { EngineContext } from '../engine/engine-context.ts';
import { OptimisticCommits } from '../optimistic/optimistic-commits.ts';
import { type GatePatience, MissingGatesError, createGates, heldGates } from '../repository/gates.ts';
import { type BatchState, MoreSkusError, loadBatch } from '../repository/load-batch.ts';
import { type Command, type Outcome, reservationsOf, skusOf } from '../requests/command.ts';
import { Views } from '../requests/views.ts';
import { sendWrites } from '../unit-of-work/write-batch.ts';
import type { Batch, Committed } from './batch.ts';

const COMMIT = commitPoint('stock.batch');

export class BatchCommits {
  readonly #optimistic: OptimisticCommits;
  /** Resolves when the batch that came last has ended. */
  #last: Promise<void> = Promise.resolve();

  readonly #context: EngineContext;
  readonly #patience: GatePatience;

  /** `patience`: for how long batches wait for gates that others hold. */
  constructor(context: EngineContext, patience: GatePatience) {
    this.#context = context;
    this.#patience = patience;
    this.#optimistic = new OptimisticCommits(context);
  }

  /** Commands take effect in their order. Throws only if none of them took effect, or if that is unknown. */
  async commit(batch: Batch): Promise<Committed> {
    const before = this.#last;
    const committing = this.#commit(batch, before);
    this.#last = committing.then(
      () => undefined,
      () => undefined,
    );
    return committing;
  }

  async #commit(batch: Batch, before: Promise<void>): Promise<Committed> {
    const { hooks, supplies, reservationKeys, onCommitted } = this.#context;
    try {
      const optimistic = await this.#optimistic.commit(
        batch,
        await reservationKeys.take(newReservationsOf(batch.commands)),
      );
      if (optimistic.status === 'committed') {
        hooks.onDecided?.('optimistic');
        onCommitted();
        return optimistic;
      }
      const why = optimistic.status === 'unwritten' ? optimistic.why : null;
      if (why?.reason === 'gates_held' && this.#patience === 'short') return { status: 'gates_held', skus: why.skus };
      // Whatever of this queue is in flight was decided first, and must not be overtaken.
      await before;
      return await this.#underLocks(batch.commands);
    } catch (error) {
      // Who speaks to another database from now on remembers versions that mean other rows there.
      const isLost = error instanceof TransactionOutcomeUnknownError || classifyPgError(error) === 'connection';
      if (isLost) supplies.forget();
      throw error;
    }
  }

  async #underLocks(asked: readonly Command[]): Promise<Committed> {
    const { pool, hooks } = this.#context;
    let commands = asked;
    hooks.onDecided?.('locked');
    for (;;) {
      try {
        const outcomes = await this.#attemptUnderLocks(commands);
        if (outcomes !== null) return { status: 'committed', outcomes };
      } catch (error) {
        if (error instanceof MissingGatesError) await createGates(pool, error.skus);
        else if (error instanceof MoreSkusError) commands = withSkus(commands, error.skus);
        else if (classifyPgError(error) !== 'lock_timeout') throw error;
        else {
          const held = await heldGates(pool, skusOf(commands));
          if (held.size === 0) throw error;
          return { status: 'gates_held', skus: held };
        }
      }
    }
  }

  /** Null after a batch that only gave overdue units back: the commands are decided when no more are due. */
  async #attemptUnderLocks(commands: readonly Command[]): Promise<readonly Outcome[] | null> {
    const { pool, supplies, reservationKeys, onCommitted, onDeferred } = this.#context;
    const keys = await reservationKeys.take(newReservationsOf(commands));
    const { outcomes, state, hasDeferred } = await inPipelinedTransaction(pool, (client) =>
      this.#decide(client, commands, keys),
    );
    for (const [sku, supply] of state.supplies) supplies.remember(supply, state.versions.get(sku) ?? 0);
    onCommitted();
    if (hasDeferred) onDeferred();
    return state.hasMoreOverdue ? null : outcomes;
  }

  async #decide(
    client: pg.PoolClient,
    commands: readonly Command[],
    reservations: readonly number[],
  ): Promise<Settlement<Decided>> {
    const { schema, partitionCount, rules, codes, supplies, supplyKeys, clock, shortMs } = this.#context;
    const state = await loadBatch(client, commands, rules, supplies, this.#patience);
    clock.heard(state.now);
    await codes.learn(state.supplies.keys(), client);
    const versionsBefore = new Map(state.versions);
    const views = new Views(state.rules, codes);
    // Nearly always there are some at hand, and nothing is waited for.
    const rows = await supplyKeys.take(newRowsOf(commands, state.rules));
    const decider = new BatchDecider(state, views, { reservations, rows }, shortMs);
    const outcomes = decider.decide(state.hasMoreOverdue ? [] : commands);
    const result = { outcomes, state, hasDeferred: decider.hasDeferred };
    if (decider.writes.isEmpty) return { result, write: null };
    const writing = { now: state.now, views, versionsBefore, schema, partitionCount };
    const send = () => sendWrites(client, decider.writes, writing);
    return { result, write: { commit: COMMIT, send } };
  }
}

interface Decided {
  readonly outcomes: readonly Outcome[];
  /** As it is once the batch has been committed. */
  readonly state: BatchState;
  /** Whether it leaves units to be given out in slices. */
  readonly hasDeferred: boolean;
}

const newReservationsOf = (commands: readonly Command[]): number =>
  commands.filter(({ kind }) => kind === 'hold' || kind === 'tombstone').length;

/** Commands with the SKUs that the reservations they name have got meanwhile. */
const withSkus = (commands: readonly Command[], more: MoreSkusError['skus']): readonly Command[] =>
  commands.map((command) => {
    if (command.kind !== 'verb' && command.kind !== 'allocate' && command.kind !== 'ship') return command;
    const skus = reservationsOf(command).flatMap((key) => more.get(key) ?? []);
    return skus.length === 0 ? command : { ...command, skus: [...new Set([...command.skus, ...skus])] };
  });

/** Rows that commands put into the book at most. */
function newRowsOf(commands: readonly Command[], rules: SellingRules): number {
  let rows = 0;
  for (const command of commands) {
    if (command.kind === 'movements') for (const { toNode } of command.movements) rows += toNode === null ? 1 : 2;
    if (command.kind === 'expect' || command.kind === 'receive') rows += command.lines.length;
    // Where units leave, on their way, and where a receipt has told of them already.
    if (command.kind === 'ship') rows += 3 * command.lines.length;
    for (const { sku, mayWait = false } of linesOf(command)) if (mayWait) rows += rules.allowancesOf(sku).size;
  }
  return rows;
}

/** Lines that get units, and may have to wait for them. */
function linesOf(command: Command): readonly Pick<HoldLine, 'sku' | 'mayWait'>[] {
  if (command.kind === 'hold') return command.demand.lines;
  return command.kind === 'verb' && command.verb.name === 'amend' ? command.verb.lines : [];
}
