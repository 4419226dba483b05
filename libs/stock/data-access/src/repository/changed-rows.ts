/** Stock rows of SKUs that have changed since they were last seen, with what limits their sale, as SQL. */
import { FENCE_USE_TUPLE, STOP_TUPLE, SUPPLY_TUPLE } from '../stock-columns.ts';

/**
 * Rows, fence uses and stops of the SKUs `$1` whose versions are not `$2`, as a JSON array of arrays: one value to receive instead
 * of thousands. `OFFSET 0` keeps each look-up a look-up: a plan is made once, perhaps while a table is empty, and must not begin
 * with a table that will be large. Of a fence that was lifted nobody needs to know the use any more.
 */
export const CHANGED_ROWS = `(SELECT json_agg(s.units) FROM unnest($1::int[], $2::bigint[]) AS known (sku_key, version)
           CROSS JOIN LATERAL (
             SELECT FROM sku_gate WHERE sku_key = known.sku_key AND version <> known.version OFFSET 0) g
           CROSS JOIN LATERAL (
             (SELECT ${SUPPLY_TUPLE} AS units FROM supply WHERE sku_key = known.sku_key OFFSET 0)
             UNION ALL
             (SELECT ${FENCE_USE_TUPLE} FROM fence_use JOIN rules_fence USING (fence_key) WHERE sku_key = known.sku_key OFFSET 0)
             UNION ALL
             (SELECT ${STOP_TUPLE} FROM sku_stop WHERE sku_key = known.sku_key OFFSET 0)) s)`;
