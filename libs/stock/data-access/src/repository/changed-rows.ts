/** Stock rows of SKUs that have changed since they were last seen, as SQL. */
import { SUPPLY_TUPLE } from '../stock-columns.ts';

/**
 * Rows of the SKUs `$1` whose versions are not `$2`, as a JSON array of arrays: one value to receive instead of thousands.
 * `OFFSET 0` keeps each look-up a look-up: a plan is made once, perhaps while a table is empty, and must not begin with
 * a table that will be large.
 */
export const CHANGED_ROWS = `(SELECT json_agg(s.units) FROM unnest($1::int[], $2::bigint[]) AS known (sku_key, version)
           CROSS JOIN LATERAL (
             SELECT FROM sku_gate WHERE sku_key = known.sku_key AND version <> known.version OFFSET 0) g
           CROSS JOIN LATERAL (
             SELECT ${SUPPLY_TUPLE} AS units
               FROM supply WHERE sku_key = known.sku_key OFFSET 0) s)`;
