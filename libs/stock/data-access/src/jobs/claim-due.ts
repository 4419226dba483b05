/**
 * Tasks of SKUs, claimed by moving their due time: whoever else looks meanwhile leaves them alone, and a claimant that dies leaves them to
 * others. What is done with a task deletes it or says when it is due next.
 */
import { type Commit, committing } from '@onepool/platform-failpoints';
import type { SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';

const SKUS_PER_CLAIM = 500;
/** A SKU that another replica is likely about right now is left to it for this long. */
const CLAIM_SECONDS = 5;

/** What due tasks of a table are claimed by, the longest due first. */
export interface Claim {
  readonly table: 'sku_task' | 'drain_task';
  /** Of the prepared statement. */
  readonly name: string;
  readonly point: Commit;
}

export async function claimDue(pool: pg.Pool, { table, name, point }: Claim): Promise<readonly SkuKey[]> {
  const text = `
    UPDATE ${table} t SET due_at = clock_timestamp() + make_interval(secs => ${CLAIM_SECONDS})
      FROM (SELECT sku_key FROM ${table} WHERE due_at <= clock_timestamp()
             ORDER BY due_at LIMIT ${SKUS_PER_CLAIM} FOR UPDATE SKIP LOCKED) due
     WHERE t.sku_key = due.sku_key RETURNING t.sku_key`;
  const { rows } = await committing(point, () => pool.query<{ sku_key: SkuKey }>({ name, text }));
  return rows.map((row) => row.sku_key);
}
