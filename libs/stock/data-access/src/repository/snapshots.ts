/** Supplies as a reader sees them, one statement, one moment. */
import {
  NO_FUTURE,
  NO_INBOUND,
  type NodeKey,
  type SkuKey,
  type SkuSupply,
  type StateUnits,
  type SupplyKey,
  type SupplyRow,
  giveBack,
  supplyRowOf,
} from '@onepool/stock-domain';
import type pg from 'pg';
import { kindOf, stateColumns } from '../stock-columns.ts';

export interface Snapshot {
  readonly supply: SkuSupply;
  readonly version: number;
  /** Milliseconds, the database's clock. */
  readonly asOf: number;
  /** When the next hold on it expires, in milliseconds, and with it the snapshot. */
  readonly expiresAt: number;
}

type SnapshotTuple = readonly [
  overdue: number,
  key: SupplyKey,
  node: NodeKey,
  kind: number,
  detail: number,
  ...units: StateUnits,
];

interface SupplyRecord {
  sku_key: number;
  version: number;
  now: number;
  expires_at: number | null;
  rows: SnapshotTuple[] | null;
}

/**
 * Reads SKUs; those that never had any stock are absent. Overdue holds are counted as free, as they are where a hold
 * commits.
 */
export async function readSnapshots(
  pool: Pick<pg.Pool, 'query'>,
  keys: readonly SkuKey[],
): Promise<Map<SkuKey, Snapshot>> {
  const { rows } = await pool.query<SupplyRecord>({
    name: 'snapshots',
    text: `SELECT k.sku_key, g.version, floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint AS now,
                  (SELECT floor(extract(epoch FROM min(b.expires_at)) * 1000)::bigint FROM backing b
                    WHERE b.sku_key = k.sku_key AND b.held + b.confirmed > 0 AND b.held > 0
                      AND b.expires_at > statement_timestamp()) AS expires_at,
                  (SELECT json_agg(json_build_array(CASE WHEN s.reserved = 0 THEN 0 ELSE (SELECT coalesce(sum(b.held), 0) FROM backing b
                        WHERE b.sku_key = s.sku_key AND b.supply_key = s.supply_key AND b.held + b.confirmed > 0
                          AND b.held > 0 AND b.expires_at <= statement_timestamp()) END,
                     s.supply_key, s.node_key, s.kind, s.detail_key, ${stateColumns((state) => `s.${state}`)}))
                     FROM supply s WHERE s.sku_key = k.sku_key) AS rows
             FROM unnest($1::int[]) AS k (sku_key) JOIN sku_gate g USING (sku_key)`,
    values: [keys],
  });
  const toSnapshot = (row: SupplyRecord): Snapshot => ({
    version: row.version,
    asOf: row.now,
    expiresAt: row.expires_at ?? Number.POSITIVE_INFINITY,
    supply: supplyOf(row.sku_key, (row.rows ?? []).map(withoutOverdue)),
  });
  return new Map(rows.map((row) => [row.sku_key, toSnapshot(row)]));
}

function supplyOf(sku: SkuKey, rows: readonly SupplyRow[]): SkuSupply {
  const future = rows.filter(({ kind }) => kind !== 'stock');
  if (future.length === 0) return { sku, rows, future: NO_FUTURE, inbound: NO_INBOUND };
  return { sku, rows: rows.filter(({ kind }) => kind === 'stock'), future, inbound: NO_INBOUND };
}

/** The row as it will be once the overdue units are given back. */
function withoutOverdue([overdue, key, node, kind, detail, ...units]: SnapshotTuple): SupplyRow {
  const row = supplyRowOf(key, node, units, kindOf(kind), detail);
  return overdue > 0 ? giveBack(row, 'reserved', overdue).row : row;
}
