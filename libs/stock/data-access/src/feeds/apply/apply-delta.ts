/**
 * Applies a delta feed, chunk by chunk: a range of lines, one transaction. Each row is an adjustment of its own, decided by
 * the domain in the order of lines; a SKU takes one version for the whole chunk.
 */
import { commitPoint, variant } from '@onepool/platform-failpoints';
import { inTransaction } from '@onepool/platform-postgres';
import { type Watermarks, decideMovements } from '@onepool/stock-domain';
import type pg from 'pg';
import type { RulesSource } from '../../catalogue/rules-source.ts';
import type { SupplyKeys } from '../../repository/supply-keys.ts';
import { readWatermarks } from '../../repository/watermarks.ts';
import { type ChunkDone, lockChunkGates, lockFeed } from './chunk.ts';
import { ChunkBook, type DecidingContext, readSupplies } from './chunk-book.ts';
import { type FeedRecord, stageTableOf } from '../feed-record.ts';
import type { RowFault } from '../upload/row-batch.ts';
import { refuse } from '../upload/staging.ts';

const CHUNK = commitPoint('stock.feed_delta');

const SAVE_PROGRESS = `
  UPDATE feed SET cursor = $2, settled = settled + $3, applied = applied + $4, refused = refused + $5,
         refused_applying = refused_applying + $5, lease_until = clock_timestamp() + make_interval(secs => $6)
   WHERE feed_key = $1`;

export interface DeltaContext extends DecidingContext {
  readonly rules: RulesSource;
  readonly supplyKeys: SupplyKeys;
}

interface DeltaRow {
  readonly line: number;
  readonly sku_key: number;
  readonly node_key: number;
  readonly quantity: number;
  readonly at_ms: number;
  readonly record_id: string | null;
}

/** Settles what lies after the cursor, at the context's pace; ends when nothing is left. */
export async function* applyDelta(
  context: DeltaContext,
  feed: FeedRecord,
  cursor: number,
): AsyncGenerator<ChunkDone, void, void> {
  for (let upto = cursor; ;) {
    await context.pace.pause();
    const done = await applyChunk(context, feed, upto, context.pace.rows);
    if (done === null) return;
    yield done;
    upto = done.upto;
  }
}

async function applyChunk(
  context: DeltaContext,
  feed: FeedRecord,
  cursor: number,
  size: number,
): Promise<ChunkDone | null> {
  const started = performance.now();
  const { rows } = await context.pool.query<DeltaRow>(
    `SELECT line, sku_key, node_key, quantity, at_ms, record_id FROM ${stageTableOf(feed)} WHERE line > $1 ORDER BY line LIMIT $2`,
    [cursor, size],
  );
  const last = rows.at(-1);
  if (!last) return null;
  const rules = await context.rules.current();
  const newKeys = await context.supplyKeys.take(rows.length);
  const isApart = variant('stock.feed_cursor_apart');
  const { progress, changed } = await inTransaction(context.pool, CHUNK, async (client) => {
    const keys = [...new Set(rows.map(({ sku_key }) => sku_key))];
    const gates = await lockChunkGates(client, keys);
    const now = await lockFeed(client, feed, cursor);
    const faults = await claimRecords(client, feed, rows);
    const duplicates = new Set(faults.map(({ line }) => line));
    const supplies = await readSupplies(client, keys);
    const watermarks = await readWatermarks(client, keys);
    const book = new ChunkBook(supplies, gates, { rules, now }, newKeys);
    const applied = applyRows(feed, book, { now, watermarks, rows: rows.filter(({ line }) => !duplicates.has(line)) });
    await refuse(client, feed.feed_key, faults);
    if (applied > 0) await book.send(client, feed.trace, context);
    const progress = [feed.feed_key, last.line, rows.length, applied, faults.length, context.leaseSeconds];
    if (!isApart) await client.query(SAVE_PROGRESS, progress);
    return { progress, changed: applied > 0 };
  });
  if (isApart) await context.pool.query(SAVE_PROGRESS, progress);
  return { changed, upto: last.line, tookMs: performance.now() - started };
}

/** Records take effect once, ever: those that have already are refused. Sorted, so that two chunks never wait crosswise. */
async function claimRecords(
  client: pg.PoolClient,
  { feed_key, source_key }: FeedRecord,
  rows: readonly DeltaRow[],
): Promise<readonly RowFault[]> {
  const named = rows.filter(({ record_id }) => record_id !== null);
  if (named.length === 0) return [];
  const claimed = await client.query<{ record_id: string }>(
    `INSERT INTO source_event (source_key, event_id, feed_key) SELECT $1::int, id, $2 FROM unnest($3::text[]) AS id ORDER BY id
     ON CONFLICT DO NOTHING RETURNING event_id AS record_id`,
    [source_key, feed_key, named.map(({ record_id }) => record_id)],
  );
  const ours = new Set(claimed.rows.map(({ record_id }) => record_id));
  return named
    .filter(({ record_id }) => record_id !== null && !ours.has(record_id))
    .map(({ line }) => ({ line, code: 'record.duplicate', message: 'the record has taken effect before' }));
}

interface ToApply {
  readonly now: number;
  readonly watermarks: Watermarks;
  readonly rows: readonly DeltaRow[];
}

/** In the order of lines. Answers how many have changed the book. */
function applyRows(feed: FeedRecord, book: ChunkBook, { now, watermarks, rows }: ToApply): number {
  let changed = 0;
  for (const { sku_key: sku, node_key: node, quantity, at_ms: occurredAt, record_id } of rows) {
    const movement = { type: 'adjustment', sku, node, toNode: null, quantity } as const;
    const decision = decideMovements([movement], book.supplies, { occurredAt, watermarks });
    if (!decision.ok) throw new Error(`Broken invariant: an adjustment was refused with ${decision.rejection.code}`);
    const told = { source: feed.source_key, sourceName: feed.source, sourceEventId: record_id ?? feed.id };
    book.apply(sku, decision.value, { ...told, reason: 'delta', occurredAt: Math.min(occurredAt, now) });
    if (decision.value.postings.length > 0) changed += 1;
  }
  return changed;
}
