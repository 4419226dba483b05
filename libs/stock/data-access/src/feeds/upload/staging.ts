/** The staging table of one upload attempt: made, filled in pieces, dropped. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { commitPoint } from '@onepool/platform-failpoints';
import { inTransaction } from '@onepool/platform-postgres';
import type { NodeKey, SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { measureOf } from '../../repository/watermarks.ts';
import { BinaryRows } from './binary-rows.ts';
import { type FeedRecord, stageTableOf } from '../feed-record.ts';
import type { RowBatch, RowFault } from './row-batch.ts';
import { superseded } from './upload-refused.ts';

/** Rows read, as they go into the staging table. */
export interface Piece {
  readonly batch: RowBatch;
  /** Keys of the batch's codes, in its order; null for those that do not exist. */
  readonly skuKeys: readonly (SkuKey | null)[];
  readonly nodeKeys: readonly (NodeKey | null)[];
}

const PIECE = commitPoint('stock.feed_piece');

type StageName = Pick<FeedRecord, 'feed_key' | 'attempt'>;
type Attempt = Pick<FeedRecord, 'feed_key' | 'attempt' | 'completeness' | 'duplicates'>;

export async function createStage(client: pg.ClientBase, { feed_key, attempt }: StageName): Promise<void> {
  await client.query('SELECT create_feed_stage($1, $2)', [feed_key, attempt]);
}

export async function dropStage(client: Pick<pg.ClientBase, 'query'>, { feed_key, attempt }: StageName): Promise<void> {
  await client.query('SELECT drop_feed_stage($1, $2)', [feed_key, attempt]);
}

/** Stores one piece, its refusals and its counts, together. */
export async function stagePiece(pool: pg.Pool, attempt: Attempt, piece: Piece): Promise<void> {
  const { received, unreadable } = piece.batch;
  const { bytes, rows, good, hasRecords, hasStates, faults, notes } = encode(attempt, piece);
  await inTransaction(pool, PIECE, async (client) => {
    // Nothing is promised of a piece. What ends the upload is flushed, all that came before it with it, and it counts.
    await client.query('SET LOCAL synchronous_commit = off');
    const { rowCount } = await client.query(
      `UPDATE feed SET received = received + $3, staged = staged + $4, refused = refused + $5, unreadable = unreadable + $6,
                       has_records = has_records OR $7, has_states = has_states OR $8, touched_at = clock_timestamp()
        WHERE feed_key = $1 AND attempt = $2 AND state = 'receiving'`,
      [attempt.feed_key, attempt.attempt, received, good, faults.length, unreadable, hasRecords, hasStates],
    );
    if (rowCount !== 1) throw superseded('another upload has taken over');
    await refuse(client, attempt.feed_key, faults);
    await noteNegatives(client, attempt.feed_key, notes);
    if (rows === 0) return;
    const columns = `line, sku_key, node_key, quantity, at_ms, record_id${hasStates ? ', state' : ''}`;
    const copy = client.query(copyFrom(`COPY ${stageTableOf(attempt)} (${columns}) FROM STDIN (FORMAT binary)`));
    await pipeline(Readable.from([bytes]), copy);
  });
}

/**
 * The rows that name what exists; what names an unknown code is refused. Rows that were refused for their values are
 * only of interest where what a feed does not name counts 0, or where lines of a row are added up.
 */
function encode({ completeness, duplicates }: Attempt, { batch, skuKeys, nodeKeys }: Piece) {
  const faults = [...batch.faults];
  const binary = new BinaryRows(batch.rows);
  const notes = new Map<number, number>();
  const { hasStates } = batch;
  let good = 0;
  let hasRecords = false;
  for (let row = 0; row < batch.rows; row += 1) {
    const skuKey = skuKeys[batch.skuOf(row)] ?? null;
    const nodeKey = nodeKeys[batch.nodeOf(row)] ?? null;
    const quantity = batch.quantityOf(row);
    if (skuKey === null || nodeKey === null) {
      if (quantity !== null) faults.push(unknownCode(batch, row, skuKey === null));
      continue;
    }
    if (quantity === null && completeness !== 'full' && duplicates !== 'sum') continue;
    const recordId = batch.recordIdOf(row);
    binary
      .row(hasStates ? 7 : 6)
      .bigint(batch.lineOf(row))
      .integer(skuKey)
      .integer(nodeKey)
      .integer(quantity);
    binary.bigint(batch.timeOf(row)).text(recordId);
    const state = hasStates ? batch.stateOf(row) : null;
    if (hasStates) binary.smallint(state && measureOf(state));
    if (quantity === null) continue;
    good += 1;
    const negative = batch.negatives.get(batch.lineOf(row));
    if (negative !== undefined) notes.set(batch.lineOf(row), negative);
    hasRecords ||= recordId !== null;
  }
  return { bytes: binary.end(), rows: binary.rows, good, hasRecords, hasStates, faults, notes };
}

function unknownCode(batch: RowBatch, row: number, isSku: boolean): RowFault {
  const line = batch.lineOf(row);
  return isSku
    ? { line, code: 'sku.unknown', message: `there is no SKU ${batch.skus.list[batch.skuOf(row)]}` }
    : { line, code: 'node.unknown', message: `there is no node ${batch.nodes.list[batch.nodeOf(row)]}` };
}

async function noteNegatives(
  client: pg.PoolClient,
  feedKey: number,
  notes: ReadonlyMap<number, number>,
): Promise<void> {
  if (notes.size === 0) return;
  await client.query(
    `INSERT INTO feed_refusal (feed_key, line, code, message, quantity)
     SELECT $1, line, 'quantity.negative', 'an availability of ' || units || ' counts as 0', units
       FROM unnest($2::bigint[], $3::bigint[]) AS note (line, units)`,
    [feedKey, [...notes.keys()], [...notes.values()]],
  );
}

/** Keeps refused rows for whoever sent them. */
export async function refuse(
  client: Pick<pg.ClientBase, 'query'>,
  feedKey: number,
  faults: readonly RowFault[],
): Promise<void> {
  if (faults.length === 0) return;
  await client.query(
    `INSERT INTO feed_refusal (feed_key, line, code, message)
     SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[])`,
    [feedKey, faults.map(({ line }) => line), faults.map(({ code }) => code), faults.map(({ message }) => message)],
  );
}
