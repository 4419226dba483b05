/**
 * What every batch reads once its gates are locked, in one statement, hence one snapshot: the clock, the catalogue's
 * epoch, overdue holds, stock rows of SKUs that changed since they were last seen, and earlier holds of the same ids.
 * Lists come as JSON arrays of arrays: one row to receive instead of thousands. `OFFSET 0` keeps each look-up a look-up:
 * a plan is made once, perhaps while a table is empty, and must not begin with a table that will be large.
 */
import { variant } from '@onepool/platform-failpoints';
import type { SkuKey, SkuSupply } from '@onepool/stock-domain';
import type pg from 'pg';
import type { Command } from '../requests/command.ts';
import { type SkuTuple, suppliesOf } from '../stock-columns.ts';
import { CHANGED_ROWS } from './changed-rows.ts';
import { type Effect, holdKey, holdKeysOf, namedToBeMade } from './earlier-effects.ts';
import type { AnsweredLine } from './stored-reservations.ts';

/** Of backings that one batch reaps: it must take less time than a session may idle with its locks. */
const OVERDUE_PER_BATCH_MAX = 2_000;

export interface Reading {
  /** Milliseconds, the database's clock. */
  readonly now: number;
  readonly epoch: number;
  /** Keys of reservations with overdue units. */
  readonly overdue: readonly number[];
  readonly hasMoreOverdue: boolean;
  readonly changed: ReadonlyMap<SkuKey, SkuSupply>;
  readonly earlierHolds: ReadonlyMap<string, Effect>;
}

type HoldTuple = [string, string, string, number, number, number, AnsweredLine[], string | null, string | null];

interface ReadingRecord {
  now: number;
  epoch: number;
  overdue: string[] | null;
  changed: SkuTuple[] | null;
  holds: HoldTuple[] | null;
}

const milliseconds = (column: string): string => `round(extract(epoch FROM ${column}) * 1000)::bigint`;

const statementBy = (clock: string): string => `
  WITH moment AS MATERIALIZED (SELECT ${clock} AS at)
  SELECT floor(extract(epoch FROM moment.at) * 1000)::bigint AS now,
         (SELECT epoch FROM rules_epoch) AS epoch,
         (SELECT array_agg(due.reservation_key) FROM (
            SELECT b.reservation_key::text FROM backing b
             WHERE b.sku_key = ANY($1::int[]) AND b.held + b.confirmed > 0 AND b.held > 0
               AND b.expires_at <= moment.at LIMIT ${OVERDUE_PER_BATCH_MAX}) due) AS overdue,
         ${CHANGED_ROWS} AS changed,
         (SELECT json_agg(json_build_array(r.owner, r.id, encode(r.body_hash, 'hex'), coalesce(r.first_channel_key, r.channel_key),
                   ${milliseconds('r.created_at')}, ${milliseconds('r.first_expires_at')}, r.lines, r.actor, r.tombstone_by))
            FROM unnest($3::text[], $4::text[]) AS k (owner, id)
           CROSS JOIN LATERAL (SELECT * FROM reservation WHERE owner = k.owner AND id = k.id OFFSET 0) r) AS holds
    FROM moment`;
const STATEMENT = statementBy('clock_timestamp()');

export async function readUnderGates(
  client: pg.PoolClient,
  commands: readonly Command[],
  skus: readonly SkuKey[],
  knownVersions: readonly number[],
): Promise<Reading> {
  const { rows } = await client.query<ReadingRecord>({
    name: 'read-under-gates',
    text: variant('stock.expiry_by_transaction_start') ? statementBy('now()') : STATEMENT,
    values: [skus, knownVersions, ...holdKeysOf(commands.flatMap(namedToBeMade))],
  });
  const [row] = rows;
  if (!row) throw new Error('Broken invariant: the clock gave no row');
  const overdue = (row.overdue ?? []).map(Number);
  return {
    now: row.now,
    epoch: row.epoch,
    overdue,
    hasMoreOverdue: overdue.length === OVERDUE_PER_BATCH_MAX,
    changed: suppliesOf(row.changed),
    earlierHolds: new Map((row.holds ?? []).map(toEffect)),
  };
}

function toEffect([owner, id, hash, channelKey, createdAt, expiresAt, lines, actor, undoneBy]: HoldTuple): [
  string,
  Effect,
] {
  const isTombstone = undoneBy !== null;
  const firstAnswer = { owner, channelKey, createdAt, expiresAt, lines };
  const effect = { bodyHash: Buffer.from(hash, 'hex'), answer: null, firstAnswer, actor: actor ?? owner, isTombstone };
  return [holdKey({ owner, id }), effect];
}
