/**
 * What time alone makes due: lines that have become late, and short promises about which nobody has decided until their deadline. What is
 * due is decided under the gate of the SKU, so that it does no harm when several replicas see it, or see it twice.
 */
import { commitPoint, committing } from '@onepool/platform-failpoints';
import type { SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';
import { underGates } from './under-gates.ts';

const WAKE = commitPoint('stock.wake_late_lines');
const LINES_PER_LOOK = 500;
const SKUS_PER_LOOK = 100;

/** Makes tasks of lines that have become late. Once a task is done with one, it is looked at again only if its SKU or due time changes. */
export async function wakeLateLines(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ sku_key: SkuKey }>({
    name: 'late-lines',
    text: `SELECT DISTINCT sku_key FROM (
             SELECT sku_key FROM inbound_line l
              WHERE is_open AND NOT is_late AND due_at < clock_timestamp()
                AND NOT EXISTS (SELECT FROM sku_task t WHERE t.sku_key = l.sku_key)
              ORDER BY due_at LIMIT ${LINES_PER_LOOK}) late ORDER BY sku_key`,
  });
  if (rows.length === 0) return;
  const insert = `
    INSERT INTO sku_task (sku_key, due_at) SELECT sku_key, clock_timestamp() FROM ${underGates('SELECT unnest($1::int[])')}
    ON CONFLICT (sku_key) DO NOTHING`;
  await committing(WAKE, () => pool.query(insert, [rows.map((row) => row.sku_key)]));
}

export async function skusPastDeadline(pool: pg.Pool): Promise<readonly SkuKey[]> {
  const { rows } = await pool.query<{ sku_key: SkuKey }>({
    name: 'past-deadline',
    text: `SELECT DISTINCT sku_key FROM (
             SELECT sku_key FROM stock_exception WHERE closed_at IS NULL AND due_at <= clock_timestamp()
              ORDER BY due_at LIMIT ${SKUS_PER_LOOK}) due`,
  });
  return rows.map((row) => row.sku_key);
}
