/**
 * The condition on which a batch that was decided without locks is written, and what the statement says when it wrote nothing.
 * ADR 0010 explains why this is as good as locks.
 */
import type { SkuKey } from '@onepool/stock-domain';
import type { HoldCommand } from '../requests/command.ts';
import { holdKeysOf } from '../repository/earlier-effects.ts';
import type { Preamble } from '../unit-of-work/part.ts';

/** Why nothing was written. Of several reasons the first in this order is told. */
export type Unwritten =
  /** These SKUs have another version than the one that was decided on. */
  | { readonly reason: 'stock_changed'; readonly skus: ReadonlySet<SkuKey> }
  /** Somebody else holds the gates of these SKUs. */
  | { readonly reason: 'gates_held'; readonly skus: ReadonlySet<SkuKey> }
  | { readonly reason: 'rules_changed' }
  /** The batch before, on whose writes this one rests, was not written itself. */
  | { readonly reason: 'predecessor_unwritten' }
  /** A hold of the batch has been granted before, and its first answer is due. */
  | { readonly reason: 'held_before' }
  /** Too much time has passed since the decision, or a node has begun or ended to sell. */
  | { readonly reason: 'decided_too_early' }
  /** Held units of these SKUs have run out, and have to be given back first. */
  | { readonly reason: 'holds_overdue' };

export type ConditionalWrite = { readonly written: true } | ({ readonly written: false } & Unwritten);

/** What was decided on. */
export interface Decided {
  /** Milliseconds. */
  readonly now: number;
  /** Until when (ms) the decision is good. */
  readonly until: number;
  readonly epoch: number;
  /** Ascending by SKU. */
  readonly versions: ReadonlyMap<SkuKey, number>;
  /** The key of a reservation that only the batch before can have made; null if the decision does not rest on one. */
  readonly predecessor: number | null;
  /** Such a hold may have been granted earlier. Those that are granted prove by their insert that they are new. */
  readonly refused: readonly HoldCommand[];
}

const MILLISECONDS = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

/**
 * Parameters: 1 the decision's time (ms), 2 and 3 SKUs, ascending, and their versions, 4 the rules' epoch, 5 until when the
 * decision is good (ms), 6 the predecessor's key or null, 7 and 8 the keys of what was refused.
 *
 * Versions are looked at before they are locked, since a lock alone has to be flushed at the end. A gate that somebody else
 * holds is skipped, and a locked row is read in its newest version, so the versions are compared once more.
 */
const CONDITION = `
  versions_seen AS MATERIALIZED (
    SELECT array_agg(version ORDER BY sku_key) AS versions FROM sku_gate WHERE sku_key = ANY($2::int[])),
  gates_locked AS MATERIALIZED (
    SELECT sku_key, version FROM sku_gate
     WHERE sku_key = ANY($2::int[]) AND (SELECT versions FROM versions_seen) = $3::bigint[]
     ORDER BY sku_key FOR NO KEY UPDATE SKIP LOCKED),
  locked AS MATERIALIZED (
    SELECT array_agg(sku_key) AS skus, array_agg(version ORDER BY sku_key) AS versions, clock_timestamp() AS at FROM gates_locked),
  condition AS MATERIALIZED (
    SELECT CASE
        WHEN (SELECT versions FROM versions_seen) IS DISTINCT FROM $3::bigint[] THEN 'stock_changed'
        WHEN cardinality(skus) IS DISTINCT FROM cardinality($2::int[]) THEN 'gates_held'
        WHEN versions <> $3::bigint[] THEN 'stock_changed'
        WHEN (SELECT epoch FROM rules_epoch) <> $4::bigint THEN 'rules_changed'
        WHEN $6::bigint IS NOT NULL AND NOT EXISTS (SELECT FROM reservation WHERE reservation_key = $6::bigint)
          THEN 'predecessor_unwritten'
        WHEN EXISTS (
          SELECT FROM unnest($7::text[], $8::text[]) AS k (owner, id)
           CROSS JOIN LATERAL (SELECT FROM reservation WHERE owner = k.owner AND id = k.id OFFSET 0) earlier) THEN 'held_before'
        WHEN at < to_timestamp($1::float8 / 1000.0) OR at >= to_timestamp($5::float8 / 1000.0) THEN 'decided_too_early'
        WHEN (SELECT 1 FROM backing b WHERE b.sku_key = ANY($2::int[]) AND b.held + b.confirmed > 0 AND b.held > 0
               AND b.expires_at <= locked.at LIMIT 1) IS NOT NULL THEN 'holds_overdue'
      END AS broken, skus
    FROM locked)`;

const ANSWER = `
  SELECT broken, ${MILLISECONDS} AS now,
         CASE broken
           WHEN 'gates_held' THEN coalesce(skus, '{}')
           WHEN 'stock_changed' THEN ARRAY(
             SELECT g.sku_key FROM unnest($2::int[], $3::bigint[]) AS k (sku_key, version)
               JOIN sku_gate g ON g.sku_key = k.sku_key AND g.version = k.version)
         END AS unchanged
    FROM condition`;

export interface ConditionRecord {
  readonly broken: Unwritten['reason'] | null;
  /** Milliseconds; the database's clock. */
  readonly now: number;
  /** SKUs that are not to blame. */
  readonly unchanged: readonly SkuKey[] | null;
}

export const conditionOf = ({ now, until, epoch, versions, predecessor, refused }: Decided): Preamble => ({
  name: 'optimistic',
  sql: CONDITION,
  values: [now, [...versions.keys()], [...versions.values()], epoch, until, predecessor, ...holdKeysOf(refused)],
  guard: '(SELECT broken IS NULL FROM condition)',
  answer: ANSWER,
});

export function resultOf({ broken, unchanged }: ConditionRecord, skus: readonly SkuKey[]): ConditionalWrite {
  if (broken === null) return { written: true };
  if (broken !== 'gates_held' && broken !== 'stock_changed') return { written: false, reason: broken };
  const toBlame = new Set(skus);
  for (const sku of unchanged ?? []) toBlame.delete(sku);
  // None is left where a version stepped between the statement's snapshot and its locks: which one, nobody knows.
  return { written: false, reason: broken, skus: toBlame.size > 0 ? toBlame : new Set(skus) };
}
