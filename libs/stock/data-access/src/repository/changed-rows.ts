/** Stock rows of SKUs that have changed since they were last seen, with what limits their sale and what brings more, as SQL. */
import { tuplesSql } from '../stock-columns.ts';

/** All that is read of the SKUs `$1` whose versions are not `$2`, as a JSON array of arrays: one value to receive instead of thousands. */
export const CHANGED_ROWS = `(SELECT json_agg(s.units) FROM unnest($1::int[], $2::bigint[]) AS known (sku_key, version)
           CROSS JOIN LATERAL (
             SELECT FROM sku_gate WHERE sku_key = known.sku_key AND version <> known.version OFFSET 0) g
           CROSS JOIN LATERAL (${tuplesSql('sku_key = known.sku_key')}) s)`;
