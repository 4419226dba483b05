/** Gates of SKUs: whoever holds one is the only writer of that SKU's supply. They come first in the lock order (ADR 0005). */
import { commitPoint, committing } from '@onepool/platform-failpoints';
import { inPipelinedTransaction } from '@onepool/platform-postgres';
import type { SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';
import { inOrder } from './in-order.ts';

/**
 * How long to wait for gates that somebody else holds, as a feed's chunk does those of a thousand SKUs for tens of milliseconds.
 * Commands of other SKUs must not wait for long because they happen to share a batch with one of them; those in a contended
 * queue may.
 */
export type GatePatience = 'short' | 'long';

const PATIENCE_MS: Readonly<Record<GatePatience, number>> = { short: 25, long: 250 };

/** Thrown out of the transaction: creating gates while holding others would break the lock order. */
export class MissingGatesError extends Error {
  override readonly name = 'MissingGatesError';

  readonly skus: readonly SkuKey[];

  constructor(skus: readonly SkuKey[]) {
    super(`${skus.length} SKU gates do not exist yet`);
    this.skus = skus;
  }
}

/**
 * Locks the gates of these SKUs, ascending, and gives their versions.
 *
 * @throws MissingGatesError, or the database's `lock_timeout` when patience is over
 */
export async function lockGates(
  client: pg.PoolClient,
  skus: readonly SkuKey[],
  patience: GatePatience,
): Promise<Map<SkuKey, number>> {
  const limit = client.query(`SET LOCAL lock_timeout = ${PATIENCE_MS[patience]}`);
  const locking = client.query<{ sku_key: SkuKey; version: number }>({
    name: 'lock-gates',
    text: 'SELECT sku_key, version FROM sku_gate WHERE sku_key = ANY($1::int[]) ORDER BY sku_key FOR NO KEY UPDATE',
    values: [skus],
  });
  const [{ rows }] = await inOrder([locking, limit, client.query('SET LOCAL lock_timeout TO DEFAULT')]);
  const versions = new Map(rows.map((row) => [row.sku_key, row.version]));
  if (versions.size < skus.length) throw new MissingGatesError(skus.filter((sku) => !versions.has(sku)));
  return versions;
}

/** Those of the SKUs whose gates somebody holds now. It ends in ROLLBACK: locks that are committed have to be flushed. */
export function heldGates(pool: pg.Pool, skus: readonly SkuKey[]): Promise<ReadonlySet<SkuKey>> {
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

const CREATE = commitPoint('stock.gates');

export async function createGates(pool: pg.Pool, skus: readonly SkuKey[]): Promise<void> {
  const insert = 'INSERT INTO sku_gate (sku_key) SELECT unnest($1::int[]) ORDER BY 1 ON CONFLICT DO NOTHING';
  await committing(CREATE, () => pool.query(insert, [skus]));
}
