/** Supplies as a reader sees them, one statement, one moment. */
import {
  type FenceKey,
  type NodeKey,
  type SkuKey,
  type SkuSupply,
  type StateUnits,
  type SupplyKey,
  type SupplyRow,
  giveBack,
  noSupply,
  stopsOf,
  supplyRowOf,
} from '@onepool/stock-domain';
import type pg from 'pg';
import { STOP_TUPLE, type StopTuple, kindOf, stateColumns, suppliesOf, supplyOf } from '../stock-columns.ts';

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
  fence_uses: [node: NodeKey, fence: FenceKey, used: number][] | null;
  stops: StopTuple[] | null;
}

/** Of a backing of the SKU `k`: held units that have run out. */
const IS_OVERDUE = `b.sku_key = k.sku_key AND b.held + b.confirmed > 0 AND b.held > 0 AND b.expires_at <= statement_timestamp()`;

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
                        WHERE ${IS_OVERDUE} AND b.supply_key = s.supply_key) END,
                     s.supply_key, s.node_key, s.kind, s.detail_key, ${stateColumns((state) => `s.${state}`)}))
                     FROM supply s WHERE s.sku_key = k.sku_key) AS rows,
                  (SELECT json_agg(ARRAY[u.node_key, u.fence_key, u.used - (SELECT coalesce(sum(least(b.held, b.fenced)), 0) FROM backing b
                        WHERE ${IS_OVERDUE} AND b.node_key = u.node_key AND b.fence_key = u.fence_key)]::bigint[])
                     FROM fence_use u JOIN rules_fence USING (fence_key) WHERE u.sku_key = k.sku_key) AS fence_uses,
                  (SELECT json_agg(${STOP_TUPLE}) FROM sku_stop WHERE sku_key = k.sku_key) AS stops
             FROM unnest($1::int[]) AS k (sku_key) JOIN sku_gate g USING (sku_key)`,
    values: [keys],
  });
  const toSnapshot = (row: SupplyRecord): Snapshot => ({
    version: row.version,
    asOf: row.now,
    expiresAt: row.expires_at ?? Number.POSITIVE_INFINITY,
    supply: toSupply(row),
  });
  return new Map(rows.map((row) => [row.sku_key, toSnapshot(row)]));
}

function toSupply({ sku_key: sku, rows, fence_uses, stops }: SupplyRecord): SkuSupply {
  const all = (rows ?? []).map(withoutOverdue);
  return supplyOf(sku, {
    rows: all.filter(({ kind }) => kind === 'stock'),
    future: all.filter(({ kind }) => kind !== 'stock'),
    fenceUses: (fence_uses ?? []).map(([node, fence, used]) => ({ node, fence, used })),
    stops: stopsOf(suppliesOf(stops).get(sku) ?? noSupply(sku)),
  });
}

/** The row as it will be once the overdue units are given back. */
function withoutOverdue([overdue, key, node, kind, detail, ...units]: SnapshotTuple): SupplyRow {
  const row = supplyRowOf(key, node, units, kindOf(kind), detail);
  return overdue > 0 ? giveBack(row, 'reserved', overdue).row : row;
}
