/** Stock rows of SKUs that have changed since they were last seen, as SQL and as what comes of it. */
import type { SkuKey, StockRow } from '@onepool/stock-domain';

/** Columns in the order of `rowsOf`. */
export type StockTuple = [number, number, number, number, number, number, number, number, number, number];

/**
 * Rows of the SKUs `$1` whose versions are not `$2`, as a JSON array of arrays: one value to receive instead of thousands.
 * `OFFSET 0` keeps each look-up a look-up: a plan is made once, perhaps while a table is empty, and must not begin with
 * a table that will be large.
 */
export const CHANGED_ROWS = `(SELECT json_agg(s.units) FROM unnest($1::int[], $2::bigint[]) AS known (sku_key, version)
           CROSS JOIN LATERAL (
             SELECT FROM sku_gate WHERE sku_key = known.sku_key AND version <> known.version OFFSET 0) g
           CROSS JOIN LATERAL (
             SELECT ARRAY[sku_key, node_key, available, committed, reserved, safety_stock, damaged, quality_control,
                          shortfall, overdrawn]::bigint[] AS units
               FROM stock WHERE sku_key = known.sku_key OFFSET 0) s)`;

export function rowsOf(tuples: readonly StockTuple[] | null): Map<SkuKey, StockRow[]> {
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
  ] of tuples ?? []) {
    assertSafe(available, committed, reserved, safetyStock, damaged, qualityControl, shortfall, overdrawn);
    const row = { node, available, committed, reserved, safetyStock, damaged, qualityControl, shortfall, overdrawn };
    const of = rows.get(sku);
    if (of) of.push(row);
    else rows.set(sku, [row]);
  }
  return rows;
}

/** JSON rounds what a number cannot hold; better to stop than to write it back. */
function assertSafe(...units: readonly number[]): void {
  if (!units.every(Number.isSafeInteger)) throw new Error(`Broken invariant: units beyond 2^53: ${units.join(', ')}`);
}
