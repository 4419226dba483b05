/**
 * Reads everything a batch needs, under its locks, in the one order every writer takes: SKU gates, then existing
 * reservations, each sorted. Stock rows need no lock of their own, because nothing touches them without their gate.
 * Reads are statements after the locks, so that they see what was committed while the locks were waited for.
 */
import { commitPoint, committing, variant } from '@onepool/platform-failpoints';
import type { SellingRules, SkuKey, SkuSupply, StockRow, Watermarks } from '@onepool/stock-domain';
import type pg from 'pg';
import { type Command, skusOf } from './command.ts';
import { type Effect, readEarlierCommands } from './earlier-effects.ts';
import { readWatermarks, skusWithEvents } from './feeds/watermarks.ts';
import { HEALED_PER_LOOK_MAX, readBackedOnShortRows, readOpenExceptions } from './healing-reads.ts';
import { inOrder } from './in-order.ts';
import type { KnownSupplies, KnownSupply } from './known-supplies.ts';
import { readUnderGates } from './read-under-gates.ts';
import type { RulesSource } from './rules-source.ts';
import { type StoredReservation, lockReservations } from './stored-reservations.ts';

export interface BatchState {
  /** Milliseconds, the database's clock, read after the locks. */
  readonly now: number;
  readonly rules: SellingRules;
  readonly versions: Map<SkuKey, number>;
  readonly supplies: Map<SkuKey, SkuSupply>;
  readonly reservations: Map<number, StoredReservation>;
  readonly effects: Map<string, Effect>;
  /** Units of open `promise.broken` exceptions by `sku key:node key`, of the SKUs to be healed. */
  readonly openExceptions: ReadonlyMap<string, number>;
  /** Whether units may be overdue that were not loaded: nothing may be decided before they are reaped. */
  readonly hasMoreOverdue: boolean;
  /** The oldest loaded reservation behind short rows, if older ones were not loaded; else null. */
  readonly healMoreBelow: number | null;
  /** Of the rows of those SKUs that movements and shipments may touch. */
  readonly watermarks: Watermarks;
}

/** `patienceMs`: how long to wait for a gate. */
export async function loadBatch(
  client: pg.PoolClient,
  commands: readonly Command[],
  rules: RulesSource,
  known: KnownSupplies,
  patienceMs: number,
): Promise<BatchState> {
  const skus = skusOf(commands);
  const healing = commands.flatMap((command) => (command.kind === 'tend' && command.heal ? command.skus : []));
  const named = commands.flatMap((command) => (command.kind === 'verb' ? [command.reservationKey] : []));
  const looked = known.look(skus);
  // Sent together, run in this order: whatever follows the gates sees what was committed while they were waited for.
  const [versions, reading, others, short, openExceptions, watermarks, ofVerbs] = await inOrder([
    lockGates(client, skus, patienceMs),
    readUnderGates(
      client,
      commands,
      skus,
      looked.map(({ version }) => version),
    ),
    readEarlierCommands(client, commands),
    readBackedOnShortRows(client, healing),
    readOpenExceptions(client, healing),
    readWatermarks(client, skusWithEvents(commands)),
    lockReservations(client, named),
  ]);
  const missing = skus.filter((sku) => !versions.has(sku));
  if (missing.length > 0) throw new MissingGates(missing);
  // Nobody else can want the rows locked above, since all gates of a named reservation are ours. These others may share
  // a SKU with another batch's, so they are locked in order among themselves.
  const shared = [...reading.overdue, ...short].filter((key) => !ofVerbs.has(key));
  const reservations = new Map([...ofVerbs, ...(await lockReservations(client, shared))]);
  return {
    now: reading.now,
    rules: variant('stock.rules_before_locks') ? rules.known : await rules.at(reading.epoch, client),
    versions,
    supplies: completeSupplies(skus, versions, looked, reading.changed, known),
    reservations,
    effects: new Map([...reading.earlierHolds, ...others]),
    openExceptions,
    hasMoreOverdue: reading.hasMoreOverdue,
    healMoreBelow: short.length === HEALED_PER_LOOK_MAX ? (short.at(-1) ?? null) : null,
    watermarks,
  };
}

async function lockGates(
  client: pg.PoolClient,
  skus: readonly SkuKey[],
  patienceMs: number,
): Promise<Map<SkuKey, number>> {
  const limit = client.query(`SET LOCAL lock_timeout = ${patienceMs}`);
  const locking = client.query<{ sku_key: number; version: number }>({
    name: 'lock-gates',
    text: 'SELECT sku_key, version FROM sku_gate WHERE sku_key = ANY($1::int[]) ORDER BY sku_key FOR NO KEY UPDATE',
    values: [skus],
  });
  const [{ rows }] = await inOrder([locking, limit, client.query('SET LOCAL lock_timeout TO DEFAULT')]);
  return new Map(rows.map((row) => [row.sku_key, row.version]));
}

/** Thrown out of the transaction: creating gates while holding others would break the lock order. */
export class MissingGates extends Error {
  readonly skus: readonly SkuKey[];

  constructor(skus: readonly SkuKey[]) {
    super(`${skus.length} SKU gates do not exist yet`);
    this.skus = skus;
  }
}

const GATES = commitPoint('stock.gates');

export async function createGates(pool: pg.Pool, skus: readonly SkuKey[]): Promise<void> {
  const insert = 'INSERT INTO sku_gate (sku_key) SELECT unnest($1::int[]) ORDER BY 1 ON CONFLICT DO NOTHING';
  await committing(GATES, () => pool.query(insert, [skus]));
}

/** Rows were asked for where the version is not the one that was `looked` at, so only there may they be missing. */
export function completeSupplies(
  skus: readonly SkuKey[],
  versions: ReadonlyMap<SkuKey, number>,
  looked: readonly KnownSupply[],
  changed: ReadonlyMap<SkuKey, readonly StockRow[]>,
  known: KnownSupplies,
): Map<SkuKey, SkuSupply> {
  const supplies = new Map<SkuKey, SkuSupply>();
  for (const [index, sku] of skus.entries()) {
    const version = versions.get(sku) ?? 0;
    const at = looked[index];
    const remembered = at?.version === version ? at.supply : undefined;
    const supply = remembered ?? { sku, rows: changed.get(sku) ?? [] };
    if (!remembered) known.remember(supply, version);
    supplies.set(sku, supply);
  }
  return supplies;
}
