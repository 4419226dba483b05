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
  promised,
  stopsOf,
  supplyRowOf,
} from '@onepool/stock-domain';
import type pg from 'pg';
import {
  INBOUND_TUPLE,
  STOP_TUPLE,
  type SkuTuple,
  kindOf,
  stateColumns,
  suppliesOf,
  supplyOf,
} from '../stock-columns.ts';

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
  limits: SkuTuple[] | null;
}

/** Of a backing of the SKU `k`: held units that have run out. */
const IS_OVERDUE = `b.sku_key = k.sku_key AND b.held + b.confirmed > 0 AND b.held > 0 AND b.expires_at <= statement_timestamp()`;

/**
 * Reads SKUs; those that never had any stock are absent. Overdue holds are counted as free, as they are where a hold
 * commits; but not while others wait for units of the SKU.
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
                  (SELECT json_agg(l.units) FROM (SELECT ${STOP_TUPLE} AS units FROM sku_stop WHERE sku_key = k.sku_key
                     UNION ALL SELECT ${INBOUND_TUPLE} FROM inbound_line WHERE sku_key = k.sku_key AND is_open) l) AS limits
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

function toSupply({ sku_key: sku, rows, fence_uses, limits }: SupplyRecord): SkuSupply {
  const read = suppliesOf(limits).get(sku) ?? noSupply(sku);
  const tuples = rows ?? [];
  // Units that come free are for those who wait, if anybody does.
  const isWaitedFor = tuples.some((tuple) => isAhead(tuple) && promised(rowOf(tuple)) > 0);
  const all = tuples.map((tuple) => (isWaitedFor && !isAhead(tuple) ? rowOf(tuple) : withoutOverdue(tuple)));
  return supplyOf(sku, {
    rows: all.filter(({ kind }) => kind === 'stock'),
    future: all.filter(({ kind }) => kind !== 'stock'),
    inbound: read.inbound,
    fenceUses: (fence_uses ?? []).map(([node, fence, used]) => ({ node, fence, used })),
    stops: stopsOf(read),
  });
}

/** The row as it will be once the overdue units are given back. */
function withoutOverdue(tuple: SnapshotTuple): SupplyRow {
  const [overdue] = tuple;
  const row = rowOf(tuple);
  return overdue > 0 ? giveBack(row, 'reserved', overdue).row : row;
}

const isAhead = ([, , , kind]: SnapshotTuple): boolean => kindOf(kind) !== 'stock';
const rowOf = ([, key, node, kind, detail, ...units]: SnapshotTuple): SupplyRow =>
  supplyRowOf(key, node, units, kindOf(kind), detail);
