/** What a batch of holds is decided on when nothing is locked: one statement, hence one moment. */
import type { SkuKey, SkuSupply } from '@onepool/stock-domain';
import type pg from 'pg';
import { CHANGED_ROWS } from '../repository/changed-rows.ts';
import { type SkuTuple, suppliesOf } from '../stock-columns.ts';

export interface UnlockedReading {
  /** Milliseconds, the database's clock. */
  readonly now: number;
  readonly epoch: number;
  /** Without SKUs that have no gate yet. */
  readonly versions: Map<SkuKey, number>;
  /** Rows of SKUs whose version is not the known one. */
  readonly changed: ReadonlyMap<SkuKey, SkuSupply>;
}

interface ReadingRecord {
  now: number;
  epoch: number;
  gates: [SkuKey, number][] | null;
  changed: SkuTuple[] | null;
}

const STATEMENT = `
  SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now,
         (SELECT epoch FROM rules_epoch) AS epoch,
         (SELECT json_agg(ARRAY[sku_key, version]) FROM sku_gate WHERE sku_key = ANY($1::int[])) AS gates,
         ${CHANGED_ROWS} AS changed`;

export async function readWithoutLocks(
  pool: pg.Pool,
  skus: readonly SkuKey[],
  knownVersions: readonly number[],
): Promise<UnlockedReading> {
  const { rows } = await pool.query<ReadingRecord>({
    name: 'read-without-locks',
    text: STATEMENT,
    values: [skus, knownVersions],
  });
  const [row] = rows;
  if (!row) throw new Error('Broken invariant: the clock gave no row');
  return { now: row.now, epoch: row.epoch, versions: new Map(row.gates ?? []), changed: suppliesOf(row.changed) };
}
