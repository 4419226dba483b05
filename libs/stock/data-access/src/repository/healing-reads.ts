/** What healing a SKU needs to know besides its supply. */
import type { SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';

/** Exceptions of promises that the engine opens and closes by itself. */
export type PromiseException = 'promise.broken' | 'promise.stranded';

/** Moving them must take less time than a session may idle with its locks. */
export const HEALED_PER_LOOK_MAX = 1_000;

/** Newest first: the longer a node has known of an order, the less it should lose it. */
export async function readBackedOnShortRows(
  client: pg.PoolClient,
  skus: readonly SkuKey[],
): Promise<readonly number[]> {
  if (skus.length === 0) return [];
  const { rows } = await client.query<{ reservation_key: number }>({
    name: 'backed-on-short-rows',
    text: `SELECT DISTINCT b.reservation_key
             FROM stock s JOIN backing b USING (sku_key, supply_key) LEFT JOIN sku_task t USING (sku_key)
            WHERE s.sku_key = ANY($1::int[]) AND s.shortfall > 0
              AND b.sku_key = ANY($1::int[]) AND b.held + b.confirmed > 0 AND b.fulfilment IS NULL
              AND (t.before_key IS NULL OR b.reservation_key < t.before_key)
            ORDER BY b.reservation_key DESC LIMIT ${HEALED_PER_LOOK_MAX}`,
    values: [skus],
  });
  return rows.map((row) => row.reservation_key);
}

/** Units of open exceptions by `sku key:node key`. */
export async function readOpenExceptions(
  client: pg.PoolClient,
  code: PromiseException,
  skus: readonly SkuKey[],
): Promise<Map<string, number>> {
  if (skus.length === 0) return new Map();
  const { rows } = await client.query<{ sku_key: number; node_key: number; quantity: number }>({
    name: 'open-exceptions-of',
    text: `SELECT sku_key, node_key, quantity FROM stock_exception
            WHERE code = $2 AND closed_at IS NULL AND sku_key = ANY($1::int[])`,
    values: [skus, code],
  });
  return new Map(rows.map((row) => [`${row.sku_key}:${row.node_key}`, row.quantity]));
}
