/**
 * Batches of holds without a lock that outlives a statement (ADR 0010): decided on what is remembered, or else on what a
 * plain read finds, and written by one statement on condition that all of it is still true. That statement locks the
 * gates without waiting and compares their versions, so the stock rows are those that were decided on; it compares the
 * catalogue's epoch, and finds no overdue hold by the clock read after the locks. If anything differs it writes nothing.
 *
 * A batch may be decided on what the one before it, still under way, will have written. Its statement runs behind that
 * one's, and asks for its proof: the reservation with a key that no other attempt has used. A version alone would not
 * do, since somebody else may have brought the SKU to it.
 */
import { commitPoint, failpoint, variant } from '@onepool/platform-failpoints';
import { TransactionOutcomeUnknownError, isOutage } from '@onepool/platform-postgres';
import { NO_WATERMARKS, type SellingRules, type SkuKey, type SkuSupply } from '@onepool/stock-domain';
import type { BatchContext } from './batch.ts';
import { type Command, type HoldCommand, type Outcome, skusOf } from './command.ts';
import { BatchDecider } from './decide-batch.ts';
import { holdKeysOf } from './earlier-effects.ts';
import { Flights } from './flights.ts';
import { GatesHeldError, gatesHeld } from './held-gates.ts';
import { completeSupplies } from './load.ts';
import { readWithoutLocks } from './read-without-locks.ts';
import { Trust } from './trust.ts';
import { Views } from './view.ts';
import type { Preamble, Statement } from './write/part.ts';
import { statementOf } from './write/write.ts';

interface Versioned {
  readonly version: number;
  readonly supply: SkuSupply;
}

/** What a batch under way will have written, if it succeeds. */
interface Foreseen {
  readonly supplies: ReadonlyMap<SkuKey, Versioned>;
  /** The batch before, until it is known to have succeeded. */
  before: Foreseen | null;
  /** The key of a reservation that only this attempt can have made. */
  readonly proof: number;
}

/** What a batch is decided on, and what must still be true when it is written. */
interface Basis {
  readonly now: number;
  readonly rules: SellingRules;
  readonly epoch: number;
  /** Ascending by SKU. */
  readonly versions: ReadonlyMap<SkuKey, number>;
  readonly supplies: ReadonlyMap<SkuKey, SkuSupply>;
  readonly after: Foreseen | null;
  /** SKUs that were read for it; the others were remembered or foreseen. */
  readonly read: ReadonlySet<SkuKey>;
}

interface Decided {
  readonly outcomes: readonly Outcome[];
  readonly statement: Statement;
  readonly foreseen: Foreseen;
}

const OPTIMISTIC = commitPoint('stock.optimistic');

/** How far the database's clock may have gone on between the decision and the locks. */
const DECISION_GOOD_FOR_MS = 500;

/** The optimism of one lane. */
export class OptimisticBatches {
  /** Nobody else writes: what is remembered is true. */
  readonly #memory = new Trust();
  /** Nobody writes between a read and the write that follows it. */
  readonly #peace = new Trust();
  readonly #flights: Flights;
  /** What the last batch that was sent will have written, while it is under way. */
  #last: Foreseen | null = null;

  readonly #context: BatchContext;

  constructor(context: BatchContext) {
    this.#context = context;
    this.#flights = new Flights(context.pool);
  }

  /**
   * The outcomes, or null when nothing was written and the batch is to be decided under locks, with other keys.
   * `onSent` is called when the next batch may be decided.
   *
   * @throws GatesHeldError when nothing was written because others hold gates of some SKUs.
   */
  async run(
    commands: readonly Command[],
    keys: readonly number[],
    onSent: () => void,
  ): Promise<readonly Outcome[] | null> {
    if (!commands.every(({ kind }) => kind === 'hold')) return null;
    const skus = skusOf(commands);
    const basis = await this.#basis(skus);
    const first = await this.#attempt(basis, commands, keys, onSent);
    if (basis === null || first === 'undecided') return null;
    if (first !== 'unwritten') return first;
    const fresh = await this.#freshIfStale(basis, skus);
    if (fresh !== null) {
      const otherKeys = await this.#context.reservationKeys.take(keys.length);
      const second = await this.#attempt(fresh, commands, otherKeys, () => undefined);
      if (typeof second !== 'string') return second;
    }
    return this.#giveUp(fresh ?? basis, skus);
  }

  async #attempt(
    basis: Basis | null,
    commands: readonly Command[],
    keys: readonly number[],
    onSent: () => void,
  ): Promise<readonly Outcome[] | 'undecided' | 'unwritten'> {
    const decided = basis && this.#decideOrNot(basis, commands, keys);
    if (!basis || !decided) return 'undecided';
    const sent = (): void => {
      if (basis.after !== null) this.#context.onChained();
      onSent();
    };
    if (!(await this.#write(decided, sent))) return 'unwritten';
    if (basis.read.size > 0) this.#peace.held();
    for (const [, { supply, version }] of decided.foreseen.supplies) this.#context.supplies.remember(supply, version);
    if (this.#last?.before === decided.foreseen) this.#last.before = null;
    return decided.outcomes;
  }

  /** If what was remembered of some SKUs is no longer so: all of them as they are now. A read costs less than the locks. */
  async #freshIfStale(basis: Basis, skus: readonly SkuKey[]): Promise<Basis | null> {
    if (basis.read.size === skus.length) return null;
    const fresh = await this.#basis(skus, 'fresh');
    const changed = skus.filter((sku) => fresh?.versions.get(sku) !== basis.versions.get(sku));
    if (fresh === null || changed.length === 0 || changed.some((sku) => basis.read.has(sku))) return null;
    this.#memory.failed();
    return fresh;
  }

  /** @throws GatesHeldError if others hold gates; else the locks will tell. */
  async #giveUp({ read }: Basis, skus: readonly SkuKey[]): Promise<null> {
    const held = await gatesHeld(this.#context.pool, skus);
    // Where others get through beside those who hold some gates, what was relied on was right.
    if (held.size === 0 || held.size === skus.length) (read.size > 0 ? this.#peace : this.#memory).failed();
    if (held.size > 0) throw new GatesHeldError(held);
    return null;
  }

  /** What is foreseen, remembered and read of these SKUs, or only read; null when that is not worth it or not enough. */
  async #basis(skus: readonly SkuKey[], how: 'any' | 'fresh' = 'any'): Promise<Basis | null> {
    const { supplies: memory, rules, codes, clock } = this.#context;
    const after = how === 'fresh' ? null : this.#last;
    const isTrusted = how === 'any' && this.#memory.takes();
    const known = new Map<SkuKey, Versioned>();
    const toRead: SkuKey[] = [];
    for (const [index, { version, supply }] of memory.look(skus).entries()) {
      const sku = skus[index] ?? 0;
      const found = foreseenOf(after, sku) ?? (isTrusted && supply ? { version, supply } : null);
      if (found && codes.knows(sku)) known.set(sku, found);
      else toRead.push(sku);
    }
    if (clock.now === null || !rules.areKnown || toRead.length > 0) {
      if (!this.#peace.takes()) return null;
      const read = await this.#read(toRead);
      if (read === null) return null;
      for (const [sku, found] of read) known.set(sku, found);
    }
    // The batch before may have ended meanwhile, and have been followed by nobody: its foresight then needs no proof,
    // but it does no harm.
    const ascending = skus.map((sku): [SkuKey, Versioned | undefined] => [sku, known.get(sku)]);
    const versions = new Map<SkuKey, number>();
    const supplies = new Map<SkuKey, SkuSupply>();
    for (const [sku, found] of ascending) {
      if (!found) return null;
      versions.set(sku, found.version);
      supplies.set(sku, found.supply);
    }
    const read = new Set(toRead);
    return { now: clock.now ?? 0, rules: rules.known, epoch: rules.epoch, versions, supplies, after, read };
  }

  /** What is there; null when a SKU has no gate yet, which is made under locks. */
  async #read(skus: readonly SkuKey[]): Promise<ReadonlyMap<SkuKey, Versioned> | null> {
    const { supplies: memory, rules, codes, clock, pool } = this.#context;
    const looked = memory.look(skus);
    const lookedVersions = looked.map(({ version }) => version);
    const { now, epoch, versions, changed } = await readWithoutLocks(pool, skus, lookedVersions);
    clock.heard(now);
    await rules.at(epoch, pool);
    if (versions.size < skus.length) return null;
    if (skus.every((sku, index) => versions.get(sku) === lookedVersions[index])) this.#memory.held();
    await codes.learn(skus, pool);
    const supplies = completeSupplies(skus, versions, looked, changed, memory);
    return new Map([...supplies].map(([sku, supply]) => [sku, { supply, version: versions.get(sku) ?? 0 }]));
  }

  /** What cannot be decided here, as with rules that are older than a command's codes, is decided under locks. */
  #decideOrNot(basis: Basis, commands: readonly Command[], keys: readonly number[]): Decided | null {
    try {
      return this.#decide(basis, commands, keys);
    } catch {
      return null;
    }
  }

  /** Null when there is nothing to write: a batch that only refuses has nothing to prove it right, and needs the locks. */
  #decide(basis: Basis, commands: readonly Command[], keys: readonly number[]): Decided | null {
    const { schema, partitionCount, codes } = this.#context;
    const state = {
      ...basis,
      versions: new Map(basis.versions),
      supplies: new Map(basis.supplies),
      reservations: new Map(),
      effects: new Map(),
      openExceptions: new Map(),
      hasMoreOverdue: false,
      healMoreBelow: null,
      watermarks: NO_WATERMARKS,
    };
    const views = new Views(basis.rules, codes);
    let used = 0;
    const decider = new BatchDecider(state, views, () => keys[used++] ?? Number.NaN);
    const outcomes = decider.decide(commands);
    const { writes } = decider;
    const proof = writes.newReservations[0]?.key;
    if (proof === undefined) return null;
    const writing = { now: basis.now, views, versionsBefore: basis.versions, schema, partitionCount };
    const supplies = new Map(
      [...state.supplies].map(([sku, supply]) => [sku, { supply, version: state.versions.get(sku) ?? 0 }]),
    );
    const foreseen = { supplies, proof, before: null };
    const condition = conditionOf(basis, refusedOf(commands, outcomes));
    return { outcomes, statement: statementOf(writes, writing, condition), foreseen };
  }

  /**
   * Whether everything was written. A key that exists already, or whatever else the database refuses, is for the batch
   * under locks to sort out.
   */
  async #write({ statement, foreseen }: Decided, onSent: () => void): Promise<boolean> {
    try {
      await failpoint(OPTIMISTIC.before);
      const answer = await this.#flights.send<{ written: boolean; now: number }>(statement, () => {
        foreseen.before = this.#last;
        this.#last = foreseen;
        onSent();
      });
      const [row] = answer.rows;
      if (row) this.#context.clock.heard(row.now);
      if (row?.written !== true && !variant('stock.answers_unwritten')) return false;
      await failpoint(OPTIMISTIC.after);
      return true;
    } catch (error) {
      if (error instanceof TransactionOutcomeUnknownError || isOutage(error)) throw error;
      return false;
    } finally {
      if (this.#last === foreseen) this.#last = null;
    }
  }
}

const foreseenOf = (last: Foreseen | null, sku: SkuKey): Versioned | undefined =>
  last?.supplies.get(sku) ?? last?.before?.supplies.get(sku);

/** A refused command with an earlier effect is not refused but answered as it was then. */
const refusedOf = (commands: readonly Command[], outcomes: readonly Outcome[]): readonly HoldCommand[] =>
  commands.filter(
    (command, index): command is HoldCommand => command.kind === 'hold' && outcomes[index]?.status !== 'done',
  );

const CLOCK = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

/**
 * Parameters: 1 the decision's time (ms), 2 and 3 SKUs, ascending, and their versions, 4 the rules' epoch, 5 until when
 * the decision is good, 6 the proof of the batch before, or null, 7 and 8 the keys of what was refused: such a hold may
 * have been granted earlier, and then its first answer is due. Those that are granted prove by their insert that they are
 * new. Versions are looked at before they are locked, since a lock alone has to be flushed at the end. A gate that someone else holds is skipped, and then the versions differ.
 */
const UNCHANGED = `
  gates_locked AS MATERIALIZED (
    SELECT sku_key, version FROM sku_gate
     WHERE sku_key = ANY($2::int[])
       AND (SELECT array_agg(version ORDER BY sku_key) = $3::bigint[] FROM sku_gate WHERE sku_key = ANY($2::int[]))
     ORDER BY sku_key FOR NO KEY UPDATE SKIP LOCKED),
  seen AS MATERIALIZED (
    SELECT array_agg(version ORDER BY sku_key) AS versions, clock_timestamp() AS at FROM gates_locked),
  unchanged AS MATERIALIZED (
    SELECT FROM seen
     WHERE versions = $3::bigint[] AND (SELECT epoch FROM rules_epoch) = $4::bigint
       AND ($6::bigint IS NULL OR EXISTS (SELECT FROM reservation WHERE reservation_key = $6::bigint))
       AND NOT EXISTS (
         SELECT FROM unnest($7::text[], $8::text[]) AS k (owner, id)
          CROSS JOIN LATERAL (SELECT FROM reservation WHERE owner = k.owner AND id = k.id OFFSET 0) earlier)
       AND at >= to_timestamp($1::float8 / 1000.0) AND at < to_timestamp($5::float8 / 1000.0)
       AND (SELECT 1 FROM backing b WHERE b.sku_key = ANY($2::int[]) AND b.held + b.confirmed > 0 AND b.held > 0
             AND b.expires_at <= seen.at LIMIT 1) IS NULL)`;

const conditionOf = ({ now, versions, epoch, rules, after }: Basis, refused: readonly HoldCommand[]): Preamble => ({
  name: 'optimistic',
  sql: UNCHANGED,
  values: [
    now,
    [...versions.keys()],
    [...versions.values()],
    epoch,
    Math.min(now + DECISION_GOOD_FOR_MS, rules.changesAfter(now)),
    after?.proof ?? null,
    ...holdKeysOf(refused),
  ],
  guard: 'EXISTS (SELECT FROM unchanged)',
  answer: `SELECT EXISTS (SELECT FROM unchanged) AS written, ${CLOCK} AS now`,
});
