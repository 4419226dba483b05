/** Tasks of tending: where the next look at a SKU goes on. */
import type { SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';

/** Where somebody stands in the order in which those who wait are served. */
export interface WaitPlace {
  readonly rank: number;
  readonly reservation: number;
}

/** What looks at a SKU have left for the next one. */
export interface StoredTask {
  readonly after: WaitPlace | null;
  /** How many more times all who wait are offered what is for sale. */
  readonly offers: number;
}

export async function readTendTasks(
  client: pg.PoolClient,
  skus: readonly SkuKey[],
): Promise<ReadonlyMap<SkuKey, StoredTask>> {
  if (skus.length === 0) return new Map();
  const { rows } = await client.query<{
    sku_key: SkuKey;
    after_rank: number | null;
    after_reservation: number | null;
    offers: number;
  }>({
    name: 'tend-tasks',
    text: 'SELECT sku_key, after_rank, after_reservation, offers FROM sku_task WHERE sku_key = ANY($1::int[])',
    values: [skus],
  });
  const placeOf = (rank: number | null, reservation: number | null): WaitPlace | null =>
    rank === null || reservation === null ? null : { rank, reservation };
  return new Map(
    rows.map((row) => [row.sku_key, { after: placeOf(row.after_rank, row.after_reservation), offers: row.offers }]),
  );
}
