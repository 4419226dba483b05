/**
 * Commits batches of holds without a lock that outlives a statement (ADR 0010): decided on what is remembered or predicted, or
 * else on what a plain read finds, and written by one statement on condition that all of it is still true. While one batch is
 * being written the next is decided on what that one will have written, and sent behind it.
 *
 * What a broken condition costs:
 *
 *   stock_changed          Memory was wrong: back off from memory, read, try once more. A read was overtaken: back off from reading.
 *   predecessor_unwritten  Read, try once more.
 *   gates_held             Nothing, if it concerns some SKUs only: others get through beside who holds them. Else as `stock_changed`.
 *   anything else          Nothing. The batch is decided under locks, and the next one without them again.
 */
import assert from 'node:assert/strict';
import { commitPoint, failpoint, variant } from '@onepool/platform-failpoints';
import { classifyPgError } from '@onepool/platform-postgres';
import { NO_WATERMARKS, type SellingRules, type SkuKey, type SkuSupply, nextEnd } from '@onepool/stock-domain';
import { BatchDecider } from '../decision/decide-batch.ts';
import type { EngineContext } from '../engine/engine-context.ts';
import type { Batch } from '../group-commit/batch.ts';
import { completeSupplies } from '../repository/remembered-supplies.ts';
import { type HoldCommand, type Outcome, skusOf } from '../requests/command.ts';
import { Views } from '../requests/views.ts';
import type { Statement } from '../unit-of-work/part.ts';
import { statementOf } from '../unit-of-work/write-batch.ts';
import { BackOff } from './back-off.ts';
import {
  type ConditionRecord,
  type ConditionalWrite,
  type Unwritten,
  conditionOf,
  resultOf,
} from './conditional-write.ts';
import { PipelinedSession } from './pipelined-session.ts';
import { type Prediction, Predictions, type VersionedSupply } from './prediction.ts';
import { NOBODY } from '../repository/waiting-reads.ts';
import { readWithoutLocks } from './read-without-locks.ts';

export type OptimisticResult =
  | { readonly status: 'committed'; readonly outcomes: readonly Outcome[] }
  /** Nothing was sent: the batch has to be decided under locks. */
  | { readonly status: 'not_tried' }
  | { readonly status: 'unwritten'; readonly why: Unwritten };

/** What a batch is decided on. */
interface Basis {
  readonly now: number;
  readonly rules: SellingRules;
  readonly epoch: number;
  /** Ascending by SKU. */
  readonly versions: ReadonlyMap<SkuKey, number>;
  readonly supplies: ReadonlyMap<SkuKey, SkuSupply>;
  readonly predecessor: Prediction | null;
  /** SKUs that were read for it; the others were remembered or predicted. */
  readonly read: ReadonlySet<SkuKey>;
}

interface Decided {
  readonly outcomes: readonly Outcome[];
  readonly statement: Statement;
  readonly prediction: Prediction;
}

const COMMIT = commitPoint('stock.optimistic');
/** How far the database's clock may have gone on between the decision and the locks. */
const DECISION_GOOD_FOR_MS = 500;
const NOT_TRIED: OptimisticResult = { status: 'not_tried' };

export class OptimisticCommits {
  /** From relying on memory: somebody else writes the same SKUs. */
  readonly #memory = new BackOff();
  /** From reading without locks: somebody writes between a read and the write that follows it. */
  readonly #reading = new BackOff();
  readonly #session: PipelinedSession;
  readonly #predictions = new Predictions();

  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#session = new PipelinedSession(context.pool);
  }

  /** `keys` are for new reservations. When nothing was written they are spent. */
  async commit(batch: Batch, keys: readonly number[]): Promise<OptimisticResult> {
    const commands = batch.commands.filter(
      (command): command is HoldCommand => command.kind === 'hold' && !mayWait(command),
    );
    if (commands.length < batch.commands.length) return NOT_TRIED;
    const skus = skusOf(commands);
    const basis = await this.#basis(skus, 'any');
    if (basis === null) return NOT_TRIED;
    const first = await this.#attempt(basis, commands, keys, batch);
    if (first.status !== 'unwritten' || !this.#learnFrom(first.why, basis, skus)) return first;
    const fresh = await this.#basis(skus, 'read');
    if (fresh === null) return first;
    const otherKeys = await this.#context.reservationKeys.take(keys.length);
    const second = await this.#attempt(fresh, commands, otherKeys, batch);
    if (second.status === 'unwritten') this.#learnFrom(second.why, fresh, skus);
    return second;
  }

  /** Backs off from what failed; answers whether the batch should be tried once more, on what a read finds. */
  #learnFrom(why: Unwritten, { read }: Basis, skus: readonly SkuKey[]): boolean {
    switch (why.reason) {
      case 'stock_changed': {
        const wasOvertaken = read.size > 0 && [...why.skus].some((sku) => read.has(sku));
        (wasOvertaken ? this.#reading : this.#memory).failed();
        return !wasOvertaken;
      }
      case 'gates_held':
        if (why.skus.size === skus.length) (read.size > 0 ? this.#reading : this.#memory).failed();
        return false;
      case 'predecessor_unwritten':
        return true;
      case 'rules_changed':
      case 'held_before':
      case 'decided_too_early':
      case 'holds_overdue':
        return false;
    }
  }

  async #attempt(
    basis: Basis,
    commands: readonly HoldCommand[],
    keys: readonly number[],
    batch: Batch,
  ): Promise<OptimisticResult> {
    const decided = this.#decide(basis, commands, keys);
    if (decided === null) return NOT_TRIED;
    const written = await this.#write(decided, basis, batch);
    if (!written.written) return { status: 'unwritten', why: written };
    if (basis.read.size > 0) this.#reading.worked();
    return { status: 'committed', outcomes: decided.outcomes };
  }

  /** What is predicted, remembered and read of these SKUs, or only read; null when that is not worth trying, or not enough. */
  async #basis(skus: readonly SkuKey[], from: 'any' | 'read'): Promise<Basis | null> {
    const { supplies: memory, rules, codes, clock } = this.#context;
    const predecessor = from === 'read' ? null : this.#predictions.last;
    const mayRemember = from === 'any' && this.#memory.mayTry();
    const known = new Map<SkuKey, VersionedSupply>();
    const toRead: SkuKey[] = [];
    for (const [index, { version, supply }] of memory.look(skus).entries()) {
      const sku = skus[index] ?? 0;
      const predicted = predecessor === null ? undefined : this.#predictions.supplyOf(sku);
      const found = predicted ?? (mayRemember && supply ? { version, supply } : null);
      if (found && codes.knows(sku)) known.set(sku, found);
      else toRead.push(sku);
    }
    if (clock.now === null || !rules.areKnown || toRead.length > 0) {
      if (!this.#reading.mayTry()) return null;
      const read = await this.#read(toRead);
      if (read === null) return null;
      for (const [sku, found] of read) known.set(sku, found);
    }
    // The batch before may have ended meanwhile, and have been followed by nobody: what it predicted then needs no proof,
    // but asking for it does no harm.
    const versions = new Map<SkuKey, number>();
    const supplies = new Map<SkuKey, SkuSupply>();
    for (const sku of skus) {
      const found = known.get(sku);
      if (!found) return null;
      versions.set(sku, found.version);
      supplies.set(sku, found.supply);
    }
    const read = new Set(toRead);
    return { now: clock.now ?? 0, rules: rules.known, epoch: rules.epoch, versions, supplies, predecessor, read };
  }

  /** What is there; null when a SKU has no gate yet, which is made under locks. */
  async #read(skus: readonly SkuKey[]): Promise<ReadonlyMap<SkuKey, VersionedSupply> | null> {
    const { supplies: memory, rules, codes, clock, pool } = this.#context;
    const looked = memory.look(skus);
    const lookedVersions = looked.map(({ version }) => version);
    const { now, epoch, versions, changed } = await readWithoutLocks(pool, skus, lookedVersions);
    clock.heard(now);
    await rules.at(epoch, pool);
    if (versions.size < skus.length) return null;
    if (skus.every((sku, index) => versions.get(sku) === lookedVersions[index])) this.#memory.worked();
    await codes.learn(skus, pool);
    const supplies = completeSupplies(skus, versions, looked, changed, memory);
    return new Map([...supplies].map(([sku, supply]) => [sku, { supply, version: versions.get(sku) ?? 0 }]));
  }

  /**
   * Null when locks are needed: a batch that only refuses has nothing to prove it right, and a command that names a channel which
   * another replica has made is older than the rules at hand.
   */
  #decide(basis: Basis, commands: readonly HoldCommand[], keys: readonly number[]): Decided | null {
    const { schema, partitionCount, codes } = this.#context;
    const { now, rules, epoch, versions } = basis;
    if (!commands.every(({ channel }) => rules.channels.has(channel))) return null;
    const state = {
      ...basis,
      versions: new Map(versions),
      supplies: new Map(basis.supplies),
      reservations: new Map(),
      effects: new Map(),
      openExceptions: [],
      short: [],
      tendedLines: new Map(),
      tendTasks: new Map(),
      drains: new Map(),
      controllers: new Map(),
      told: new Map(),
      takenEvents: new Set<string>(),
      waiting: NOBODY,
      inboundLines: new Map(),
      inspections: new Map(),
      riding: new Map(),
      hasMoreOverdue: false,
      healable: [],
      healMoreBelow: null,
      watermarks: NO_WATERMARKS,
    };
    const views = new Views(rules, codes);
    const decider = new BatchDecider(state, views, { reservations: keys, rows: [] });
    const outcomes = decider.decide(commands);
    const { writes } = decider;
    const proof = writes.newReservations[0]?.key;
    if (proof === undefined) return null;
    const supplies = new Map(
      [...state.supplies].map(([sku, supply]) => [sku, { supply, version: state.versions.get(sku) ?? 0 }]),
    );
    const condition = conditionOf({
      now,
      until: Math.min(now + DECISION_GOOD_FOR_MS, rules.changesAfter(now), stopsEndAfter(basis.supplies, now)),
      epoch,
      versions,
      predecessor: basis.predecessor?.proof ?? null,
      refused: refusedOf(commands, outcomes),
    });
    const writing = { now, views, versionsBefore: versions, schema, partitionCount };
    return { outcomes, statement: statementOf(writes, writing, condition), prediction: { supplies, proof } };
  }

  /**
   * Writes all or nothing.
   *
   * @throws whatever the database fails with, but for a key that exists: that is a hold which was granted before
   */
  async #write({ statement, prediction }: Decided, basis: Basis, batch: Batch): Promise<ConditionalWrite> {
    const onSent = (): void => {
      this.#predictions.sent(prediction);
      if (basis.predecessor !== null) this.#context.hooks.onChained?.();
      batch.sent();
    };
    try {
      await failpoint(COMMIT.before);
      const { rows } = await this.#session.send<ConditionRecord>(statement, onSent);
      const [answer] = rows;
      assert(answer, 'a conditional write answers whether it wrote');
      this.#context.clock.heard(answer.now);
      const result = resultOf(answer, [...basis.versions.keys()]);
      if (!result.written && !variant('stock.answers_unwritten')) return result;
      for (const [, { supply, version }] of prediction.supplies) this.#context.supplies.remember(supply, version);
      this.#predictions.written(prediction);
      await failpoint(COMMIT.after);
      return { written: true };
    } catch (error) {
      if (classifyPgError(error) === 'unique_violation') return { written: false, reason: 'held_before' };
      throw error;
    } finally {
      this.#predictions.unwritten(prediction);
    }
  }
}

/** Such a hold may bring new rows into the book, and wants to know whether lines are late. */
const mayWait = ({ demand }: HoldCommand): boolean => demand.lines.some((line) => line.mayWait === true);

/** The next moment at which a stop of one of the SKUs is over. */
function stopsEndAfter(supplies: ReadonlyMap<SkuKey, SkuSupply>, now: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { limits } of supplies.values()) if (limits) next = Math.min(next, nextEnd(limits.stops, now));
  return next;
}

/** A refused command with an earlier effect is not refused but answered as it was then. */
const refusedOf = (commands: readonly HoldCommand[], outcomes: readonly Outcome[]): readonly HoldCommand[] =>
  commands.filter((_, index) => outcomes[index]?.ok !== true);
