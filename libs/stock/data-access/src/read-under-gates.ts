/**
 * What every batch reads once its gates are locked, in one statement, hence one snapshot: the clock, the catalogue's
 * epoch, overdue holds, stock rows of SKUs that changed since they were last seen, and earlier holds of the same ids.
 * Lists come as JSON arrays of arrays: one row to receive instead of thousands.
 */
import type { SkuKey, StockRow } from '@onepool/stock-domain';
import type pg from 'pg';
import type { Command } from './command.ts';
import { type Effect, keyOf, keysOf } from './earlier-effects.ts';
import type { AnsweredLine } from './stored-reservations.ts';

/** Of backings that one batch reaps: it must take less time than a session may idle with its locks. */
const OVERDUE_PER_BATCH_MAX = 2_000;

export interface Reading {
  /** Milliseconds, the database's clock. */
  readonly now: number;
  readonly epoch: number;
  /** Keys of reservations with overdue units. */
  readonly overdue: readonly number[];
  readonly hasMoreOverdue: boolean;
  readonly changed: ReadonlyMap<SkuKey, readonly StockRow[]>;
  readonly earlierHolds: ReadonlyMap<string, Effect>;
}

type StockTuple = [number, number, number, number, number, number, number, number, number, number];
type HoldTuple = [string, string, string, number, number, number, AnsweredLine[]];

interface ReadingRecord {
  now: number;
  epoch: number;
  overdue: string[] | null;
  changed: StockTuple[] | null;
  holds: HoldTuple[] | null;
}

const milliseconds = (column: string): string => `round(extract(epoch FROM ${column}) * 1000)::bigint`;

const STATEMENT = `
  WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at)
  SELECT floor(extract(epoch FROM moment.at) * 1000)::bigint AS now,
         (SELECT epoch FROM catalog_epoch) AS epoch,
         (SELECT array_agg(due.reservation_key) FROM (
            SELECT b.reservation_key::text FROM backing b
             WHERE b.sku_key = ANY($1::int[]) AND b.held + b.confirmed > 0 AND b.held > 0
               AND b.expires_at <= moment.at LIMIT ${OVERDUE_PER_BATCH_MAX}) due) AS overdue,
         (SELECT json_agg(json_build_array(s.sku_key, s.node_key, s.available, s.committed, s.reserved, s.safety_stock,
                   s.damaged, s.quality_control, s.shortfall, s.overdrawn))
            FROM unnest($1::int[], $2::bigint[]) AS known (sku_key, version)
            JOIN sku_gate g ON g.sku_key = known.sku_key AND g.version <> known.version
            JOIN stock s ON s.sku_key = known.sku_key) AS changed,
         (SELECT json_agg(json_build_array(r.client, r.id, encode(r.body_hash, 'hex'), r.channel_key,
                   ${milliseconds('r.created_at')}, ${milliseconds('r.first_expires_at')}, r.lines))
            FROM unnest($3::text[], $4::text[]) AS k (client, id) JOIN reservation r USING (client, id)) AS holds
    FROM moment`;

export async function readUnderGates(
  client: pg.PoolClient,
  commands: readonly Command[],
  skus: readonly SkuKey[],
  knownVersions: readonly number[],
): Promise<Reading> {
  const holds = commands.filter((command) => command.kind === 'hold');
  const { rows } = await client.query<ReadingRecord>({
    name: 'read-under-gates',
    text: STATEMENT,
    values: [skus, knownVersions, ...keysOf(holds)],
  });
  const [row] = rows;
  if (!row) throw new Error('Broken invariant: the clock gave no row');
  const overdue = (row.overdue ?? []).map(Number);
  return {
    now: row.now,
    epoch: row.epoch,
    overdue,
    hasMoreOverdue: overdue.length === OVERDUE_PER_BATCH_MAX,
    changed: toRows(row.changed ?? []),
    earlierHolds: new Map((row.holds ?? []).map(toEffect)),
  };
}

function toRows(tuples: readonly StockTuple[]): Map<SkuKey, StockRow[]> {
  const rows = new Map<SkuKey, StockRow[]>();
  for (const [
    sku,
    node,
    available,
    committed,
    reserved,
    safetyStock,
    damaged,
    qualityControl,
    shortfall,
    overdrawn,
  ] of tuples) {
    assertSafe(available, committed, reserved, safetyStock, damaged, qualityControl, shortfall, overdrawn);
    const row = { node, available, committed, reserved, safetyStock, damaged, qualityControl, shortfall, overdrawn };
    const of = rows.get(sku);
    if (of) of.push(row);
    else rows.set(sku, [row]);
  }
  return rows;
}

function toEffect([client, id, hash, channelKey, createdAt, expiresAt, lines]: HoldTuple): [string, Effect] {
  const firstAnswer = { channelKey, createdAt, expiresAt, lines };
  return [`hold\u0000${keyOf({ client, id })}`, { bodyHash: Buffer.from(hash, 'hex'), answer: null, firstAnswer }];
}

/** JSON rounds what a number cannot hold; better to stop than to write it back. */
function assertSafe(...units: readonly number[]): void {
  if (!units.every(Number.isSafeInteger)) throw new Error(`Broken invariant: units beyond 2^53: ${units.join(', ')}`);
}
