/**
 * Gates that somebody else holds. A chunk of a feed holds those of a thousand SKUs for tens of milliseconds; commands of
 * other SKUs must not wait for that because they happen to share a batch with one of them.
 */
import { inPipelinedTransaction } from '@onepool/platform-postgres';
import type { SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';

/** Nothing was written: these SKUs' gates are held, and whoever wants them has to wait elsewhere. */
export class GatesHeldError extends Error {
  override readonly name = 'GatesHeldError';

  readonly skus: ReadonlySet<SkuKey>;

  constructor(skus: ReadonlySet<SkuKey>) {
    super(`the gates of ${skus.size} SKUs are held`);
    this.skus = skus;
  }
}

/** How long a batch waits for a gate, in milliseconds: one that others wait behind, and one aside, behind which some wait, too. */
export const GATE_PATIENCE_MS = { main: 25, aside: 250 } as const;

/** Those of the SKUs whose gates somebody holds now. It ends in ROLLBACK: locks that are committed have to be flushed. */
export function gatesHeld(pool: pg.Pool, skus: readonly SkuKey[]): Promise<ReadonlySet<SkuKey>> {
  return inPipelinedTransaction(pool, async (client) => {
    const { rows } = await client.query<{ sku_key: SkuKey }>({
      name: 'free-gates',
      text: 'SELECT sku_key FROM sku_gate WHERE sku_key = ANY($1::int[]) ORDER BY sku_key FOR NO KEY UPDATE SKIP LOCKED',
      values: [skus],
    });
    const held = new Set(skus);
    for (const { sku_key } of rows) held.delete(sku_key);
    return { result: held, write: null };
  });
}
