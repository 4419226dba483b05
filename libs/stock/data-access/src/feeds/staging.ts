/** The staging table of one upload attempt: made, filled in pieces, dropped. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { inTransaction } from '@onepool/platform-postgres';
import type { NodeKey, SkuKey } from '@onepool/stock-domain';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { type FeedRecord, stageTableOf } from './feed-record.ts';
import type { RowFault } from './row-reader.ts';

export interface StagedRow {
  readonly line: number;
  readonly sku: SkuKey;
  readonly node: NodeKey;
  /** Null: refused, but not absent. */
  readonly quantity: number | null;
  /** Milliseconds. */
  readonly at: number;
  readonly recordId: string | null;
}

export interface Piece {
  /** Rows read, good or bad. */
  readonly received: number;
  readonly rows: readonly StagedRow[];
  readonly faults: readonly RowFault[];
  /** Faults of which nobody knows what row they name. */
  readonly unreadable: number;
}

/** Another upload with the same id has begun since, or the feed is being applied. */
export class FeedSupersededError extends Error {
  override readonly name = 'FeedSupersededError';
}

type Attempt = Pick<FeedRecord, 'feed_key' | 'attempt'>;

/** Logged, not unlogged: once the upload is answered, its rows must survive a crash of the server. */
export async function createStage(client: pg.ClientBase, attempt: Attempt): Promise<void> {
  await client.query(
    `CREATE TABLE ${stageTableOf(attempt)}
       (line bigint NOT NULL, sku_key integer NOT NULL, node_key integer NOT NULL, quantity integer, at_ms bigint NOT NULL, record_id text)
       WITH (autovacuum_enabled = false)`,
  );
}

export async function dropStage(client: Pick<pg.ClientBase, 'query'>, attempt: Attempt): Promise<void> {
  await client.query(`DROP TABLE IF EXISTS ${stageTableOf(attempt)}`);
}

/** Stores one piece, its refusals and its counts, together. */
export async function stagePiece(pool: pg.Pool, attempt: Attempt, piece: Piece): Promise<void> {
  await inTransaction(pool, async (client) => {
    const good = piece.rows.filter(({ quantity }) => quantity !== null);
    const { rowCount } = await client.query(
      `UPDATE feed SET received = received + $3, staged = staged + $4, refused = refused + $5, unreadable = unreadable + $6,
                       has_records = has_records OR $7
        WHERE feed_key = $1 AND attempt = $2 AND state = 'receiving'`,
      [
        attempt.feed_key,
        attempt.attempt,
        piece.received,
        good.length,
        piece.faults.length,
        piece.unreadable,
        good.some(({ recordId }) => recordId !== null),
      ],
    );
    if (rowCount !== 1) throw new FeedSupersededError('another upload has taken over');
    await refuse(client, attempt.feed_key, piece.faults);
    if (piece.rows.length === 0) return;
    const copy = client.query(
      copyFrom(`COPY ${stageTableOf(attempt)} (line, sku_key, node_key, quantity, at_ms, record_id) FROM STDIN`),
    );
    await pipeline(Readable.from([Buffer.from(piece.rows.map(toCopyLine).join(''))]), copy);
  });
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

/** Tabs and line ends cannot be in a record id; a backslash would escape. */
const toCopyLine = ({ line, sku, node, quantity, at, recordId }: StagedRow): string =>
  `${line}\t${sku}\t${node}\t${quantity ?? '\\N'}\t${at}\t${recordId?.replaceAll('\\', '\\\\') ?? '\\N'}\n`;
