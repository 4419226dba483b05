/**
 * A batch of holds without a lock that outlives a statement (ADR 0010): decided on what is remembered, or else on what a
 * plain read finds, and written by one statement on condition that all of it is still true. That statement locks the
 * gates without waiting and compares their versions, so the stock rows are those that were decided on; it compares the
 * catalogue's epoch, and finds no overdue hold by the clock read after the locks. If anything differs it writes nothing.
 */
import { TransactionOutcomeUnknownError, classifyPgError, inOneStatement } from '@onepool/platform-postgres';
import { NO_WATERMARKS, type SellingRules, type SkuKey, type SkuSupply } from '@onepool/stock-domain';
import type pg from 'pg';
import type { BatchContext } from './batch.ts';
import type { Command, Outcome } from './command.ts';
import { BatchDecider } from './decide-batch.ts';
import { completeSupplies } from './load.ts';
import { readWithoutLocks } from './read-without-locks.ts';
import { Trust } from './trust.ts';
import { Views } from './view.ts';
import type { Preamble } from './write/part.ts';
import { statementOf } from './write/write.ts';

/** What one lane relies on. */
export class Optimism {
  /** Nobody else writes: what is remembered is true. */
  readonly memory = new Trust();
  /** Nobody writes between a read and the write that follows it. */
  readonly peace = new Trust();
}

/** What a batch is decided on, and what must still be true when it is written. */
interface Basis {
  readonly now: number;
  readonly rules: SellingRules;
  readonly epoch: number;
  readonly versions: ReadonlyMap<SkuKey, number>;
  readonly supplies: ReadonlyMap<SkuKey, SkuSupply>;
}

/** How far the database's clock may have gone on between the decision and the locks. */
const DECISION_GOOD_FOR_MS = 500;

/** The outcomes, or null when nothing was written and the batch is to be decided under locks. */
export async function runOptimistically(
  context: BatchContext,
  commands: readonly Command[],
  keys: readonly number[],
): Promise<readonly Outcome[] | null> {
  if (!commands.every(({ kind }) => kind === 'hold')) return null;
  const { memory, peace } = context.optimism;
  const skus = [...new Set(commands.flatMap((command) => command.skus))].sort((a, b) => a - b);
  const remembered = memory.takes() ? recall(context, skus) : null;
  const attempted = remembered && (await attempt(context, remembered, commands, keys));
  if (attempted) return attempted;
  if (remembered) memory.failed();
  const read = peace.takes() ? await look(context, skus) : null;
  if (read === null) return null;
  const outcomes = await attempt(context, read, commands, keys);
  if (outcomes) peace.held();
  else peace.failed();
  return outcomes;
}

/** What is remembered, null unless that is all of it. */
function recall({ supplies: known, rules, directory, clock }: BatchContext, skus: readonly SkuKey[]): Basis | null {
  const { now } = clock;
  if (now === null || !rules.areKnown) return null;
  const supplies = new Map<SkuKey, SkuSupply>();
  const versions = new Map<SkuKey, number>();
  for (const [index, { version, supply }] of known.look(skus).entries()) {
    const sku = skus[index] ?? 0;
    if (supply === undefined || !directory.knows(sku)) return null;
    supplies.set(sku, supply);
    versions.set(sku, version);
  }
  return { now, rules: rules.known, epoch: rules.epoch, versions, supplies };
}

/** What is there; null when a SKU has no gate yet, which is made under locks. */
async function look(context: BatchContext, skus: readonly SkuKey[]): Promise<Basis | null> {
  const { pool, supplies: known, rules, directory, clock, optimism } = context;
  const looked = known.look(skus);
  const lookedVersions = looked.map(({ version }) => version);
  const { now, epoch, versions, changed } = await readWithoutLocks(pool, skus, lookedVersions);
  clock.heard(now);
  if (versions.size < skus.length) return null;
  if (skus.every((sku, index) => versions.get(sku) === lookedVersions[index])) optimism.memory.held();
  await rules.at(epoch, pool);
  await directory.learn(skus, pool);
  const supplies = completeSupplies(skus, versions, looked, changed, known);
  const ascending = new Map(skus.map((sku) => [sku, versions.get(sku) ?? 0]));
  return { now, rules: rules.known, epoch: rules.epoch, versions: ascending, supplies };
}

/** Decides and writes; null when that came to nothing. */
async function attempt(
  context: BatchContext,
  basis: Basis,
  commands: readonly Command[],
  keys: readonly number[],
): Promise<readonly Outcome[] | null> {
  const { pool, schema, partitionCount, directory, supplies: known, clock } = context;
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
  const views = new Views(basis.rules, directory);
  let used = 0;
  const decider = new BatchDecider(state, views, () => keys[used++] ?? Number.NaN);
  const outcomes = decider.decide(commands);
  // A batch that only refuses writes nothing that could prove it right: it needs the locks.
  if (decider.writes.isEmpty) return null;
  const writing = { now: basis.now, views, versionsBefore: basis.versions, schema, partitionCount };
  const { written, now } = await write(pool, statementOf(decider.writes, writing, conditionOf(basis)));
  if (now !== null) clock.heard(now);
  if (!written) return null;
  for (const [sku, supply] of state.supplies) known.remember(supply, state.versions.get(sku) ?? 0);
  return outcomes;
}

const CLOCK = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

/**
 * Parameters: 1 the decision's time (ms), 2 and 3 SKUs, ascending, and their versions, 4 the rules' epoch, 5 until when
 * the decision is good. Versions are looked at before they are locked, since a lock alone has to be flushed at the end.
 * A gate that someone else holds is skipped, and then the versions differ.
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
     WHERE versions = $3::bigint[] AND (SELECT epoch FROM catalog_epoch) = $4::bigint
       AND at >= to_timestamp($1::float8 / 1000.0) AND at < to_timestamp($5::float8 / 1000.0)
       AND (SELECT 1 FROM backing b WHERE b.sku_key = ANY($2::int[]) AND b.held + b.confirmed > 0 AND b.held > 0
             AND b.expires_at <= seen.at LIMIT 1) IS NULL)`;

const conditionOf = ({ now, versions, epoch, rules }: Basis): Preamble => ({
  name: 'optimistic',
  sql: UNCHANGED,
  values: [
    now,
    [...versions.keys()],
    [...versions.values()],
    epoch,
    Math.min(now + DECISION_GOOD_FOR_MS, rules.changesAfter(now)),
  ],
  guard: 'EXISTS (SELECT FROM unchanged)',
  answer: `SELECT EXISTS (SELECT FROM unchanged) AS written, ${CLOCK} AS now`,
});

interface Written {
  readonly written: boolean;
  /** Null when the statement failed. */
  readonly now: number | null;
}

/** A key that exists already, or whatever else the database refuses, is for the batch under locks to sort out. */
async function write(pool: pg.Pool, query: pg.QueryConfig): Promise<Written> {
  try {
    const { rows } = await inOneStatement<{ written: boolean; now: number }>(pool, query);
    return rows[0] ?? { written: false, now: null };
  } catch (error) {
    if (error instanceof TransactionOutcomeUnknownError || classifyPgError(error) === 'connection') throw error;
    return { written: false, now: null };
  }
}
