/**
 * Thresholds: set by what they are for. One that is removed stays as a row with the quantity 0, which no rule reads, so that
 * its version goes on and whoever reads a snapshot learns of the removal.
 */
import { CATALOG_THRESHOLD_CHANGED, type Threshold } from '@onepool/contracts';
import { factKey } from '@onepool/platform-messaging';
import type { Work } from '@onepool/platform-unit-of-work';
import type pg from 'pg';
import { shortKey } from './short-key.ts';

const KINDS = ['channel', 'node', 'sku'] as const;

/** What a threshold is for; a name that is absent, for all of them, is the empty one. */
export function thresholdKey({ scope, channel = '', node = '', sku = '' }: Omit<Threshold, 'quantity'>): string {
  return shortKey(factKey(scope, channel, node, sku));
}

/** The key of its facts. */
export const aggregateOf = (key: string): string => `threshold/${key}`;

/** As facts and snapshots tell it. */
const told = (threshold: Threshold): { readonly key: string; readonly value: Threshold | null } => ({
  key: thresholdKey(threshold),
  value: threshold.quantity === 0 ? null : threshold,
});

/** Keys of the codes that thresholds name, by kind. */
export type NamedKeys = Readonly<Record<(typeof KINDS)[number], ReadonlyMap<string, number>>>;

/** Writes and tells those that are not yet what they should be. Answers whether there were any. */
export async function setThresholds(work: Work, thresholds: readonly Threshold[], keys: NamedKeys): Promise<boolean> {
  const keyOf = (threshold: Threshold, kind: (typeof KINDS)[number]): number | null => {
    const code = threshold[kind];
    return code === undefined ? null : (keys[kind].get(code) ?? null);
  };
  const { rows } = await work.client.query<{ position: number }>(SET, [
    thresholds.map(({ scope }) => scope),
    ...KINDS.map((kind) => thresholds.map((threshold) => keyOf(threshold, kind))),
    thresholds.map(({ quantity }) => quantity),
  ]);
  for (const { position } of rows) {
    const threshold = thresholds[position - 1];
    if (threshold) work.tell(aggregateOf(thresholdKey(threshold)), CATALOG_THRESHOLD_CHANGED, told(threshold));
  }
  return rows.length > 0;
}

/** What was never set is not removed. Answers the places of those that are now something else. */
const SET = `
  WITH told AS (
    SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::int[]) WITH ORDINALITY
      AS x (scope, channel_key, node_key, sku_key, quantity, position)),
  stored AS (
    SELECT t.*, told.position FROM threshold t JOIN told ON t.scope = told.scope
       AND coalesce(t.channel_key, 0) = coalesce(told.channel_key, 0) AND coalesce(t.node_key, 0) = coalesce(told.node_key, 0)
       AND coalesce(t.sku_key, 0) = coalesce(told.sku_key, 0)),
  altered AS (
    SELECT told.* FROM told LEFT JOIN stored USING (position) WHERE told.quantity <> coalesce(stored.quantity, 0)),
  written AS (
    INSERT INTO threshold (scope, channel_key, node_key, sku_key, quantity)
    SELECT scope, channel_key, node_key, sku_key, quantity FROM altered ORDER BY position
    ON CONFLICT (scope, channel_key, node_key, sku_key) DO UPDATE SET quantity = excluded.quantity)
  SELECT position::int FROM altered ORDER BY position`;

interface ThresholdRecord {
  readonly key: number;
  readonly scope: Threshold['scope'];
  readonly channel: string | null;
  readonly node: string | null;
  readonly sku: string | null;
  readonly quantity: number;
}

/** Those behind `after`, in the order in which they were first set; removed ones only where they are asked for. */
export async function readThresholds(
  client: Pick<pg.ClientBase, 'query'>,
  { after, limit, withRemoved }: { readonly after: number; readonly limit: number; readonly withRemoved: boolean },
): Promise<readonly { readonly key: number; readonly threshold: Threshold }[]> {
  const { rows } = await client.query<ThresholdRecord>(
    `SELECT t.threshold_key AS key, t.scope, t.quantity, c.code AS channel, n.code AS node, s.code AS sku
       FROM threshold t LEFT JOIN channel c USING (channel_key) LEFT JOIN node n USING (node_key) LEFT JOIN sku s USING (sku_key)
      WHERE t.threshold_key > $1 AND (t.quantity > 0 OR $3) ORDER BY t.threshold_key LIMIT $2`,
    [after, limit, withRemoved],
  );
  return rows.map(({ key, scope, channel, node, sku, quantity }) => {
    const names = {
      ...(channel !== null && { channel }),
      ...(node !== null && { node }),
      ...(sku !== null && { sku }),
    };
    return { key, threshold: { scope, ...names, quantity } };
  });
}
