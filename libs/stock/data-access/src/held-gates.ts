/**
 * Gates that somebody else holds. A chunk of a feed holds those of a thousand SKUs for tens of milliseconds; commands of
 * other SKUs must not wait for that because they happen to share a batch with one of them.
 */
import type { SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';

/** Nothing was written: these SKUs' gates are held, and whoever wants them has to wait elsewhere. */
export class GatesHeldError extends Error {
  override readonly name = 'GatesHeldError';

  constructor(readonly skus: ReadonlySet<SkuKey>) {
    super(`the gates of ${skus.size} SKUs are held`);
  }
}

/** How long a batch that others wait behind waits for a gate, in milliseconds. */
export const GATE_PATIENCE_MS = 25;

/** Those of the SKUs whose gates somebody holds now. */
export async function gatesHeld(pool: pg.Pool, skus: readonly SkuKey[]): Promise<ReadonlySet<SkuKey>> {
  const { rows } = await pool.query<{ sku_key: SkuKey }>({
    name: 'free-gates',
    text: 'SELECT sku_key FROM sku_gate WHERE sku_key = ANY($1::int[]) ORDER BY sku_key FOR NO KEY UPDATE SKIP LOCKED',
    values: [skus],
  });
  const held = new Set(skus);
  for (const { sku_key } of rows) held.delete(sku_key);
  return held;
}
