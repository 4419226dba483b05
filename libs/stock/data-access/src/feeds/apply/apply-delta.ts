/**
 * Applies a delta feed, chunk by chunk: a range of lines, one transaction. Each row is an adjustment of its own, decided by
 * the domain in the order of lines; a SKU takes one version for the whole chunk.
 */
import { commitPoint, variant } from '@onepool/platform-failpoints';
import { inTransaction } from '@onepool/platform-postgres';
import {
  type FreeingTerms,
  NOBODY_WAITS,
  type Posting,
  type SkuKey,
  type SkuSupply,
  type Supplies,
  type SupplyKey,
  consequencesOf,
  decideMovements,
  freeUnits,
  freedBy,
  isWaitedFor,
  leavesShort,
  noSupply,
  rowOf,
} from '@onepool/stock-domain';
import type pg from 'pg';
import { type SkuTuple, suppliesOf, tuplesSql } from '../../stock-columns.ts';
import type { RulesSource } from '../../catalogue/rules-source.ts';
import { Views } from '../../requests/views.ts';
import { sendWrites } from '../../unit-of-work/write-batch.ts';
import { Writes } from '../../decision/batch-writes.ts';
import { withKeys } from '../../decision/new-rows.ts';
import type { SupplyKeys } from '../../repository/supply-keys.ts';
import { type ApplyContext, type ChunkDone, type ChunkGates, lockChunkGates, lockFeed } from './chunk.ts';
import { type FeedRecord, stageTableOf } from '../feed-record.ts';
import type { RowFault } from '../upload/row-batch.ts';
import { refuse } from '../upload/staging.ts';
import { readWatermarks } from '../../repository/watermarks.ts';

const CHUNK = commitPoint('stock.feed_delta');

const SAVE_PROGRESS = `
  UPDATE feed SET cursor = $2, settled = settled + $3, applied = applied + $4, refused = refused + $5,
         refused_applying = refused_applying + $5, lease_until = clock_timestamp() + make_interval(secs => $6)
   WHERE feed_key = $1`;

export interface DeltaContext extends ApplyContext {
  readonly schema: string;
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
    const decided = decideRows(
      feed,
      rows.filter(({ line }) => !duplicates.has(line)),
      { supplies, watermarks, terms: { rules, now } },
      gates,
      newKeys.values(),
    );
    await refuse(client, feed.feed_key, faults);
    if (decided.changed > 0) {
      const codes = new Map(gates.skus.map((sku, index) => [sku, gates.codes[index] ?? '']));
      const views = new Views(rules, { codeOf: (sku) => codes.get(sku) ?? '' });
      const versionsBefore = new Map(gates.skus.map((sku, index) => [sku, gates.versions[index] ?? 0]));
      const { schema, partitionCount } = context;
      await Promise.all(sendWrites(client, decided.writes, { now, views, versionsBefore, schema, partitionCount }));
    }
    const progress = [feed.feed_key, last.line, rows.length, decided.changed, faults.length, context.leaseSeconds];
    if (!isApart) await client.query(SAVE_PROGRESS, progress);
    return { progress, changed: decided.changed > 0 };
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

async function readSupplies(client: pg.PoolClient, skus: readonly SkuKey[]): Promise<Supplies> {
  const { rows } = await client.query<{ tuples: SkuTuple[] | null }>(
    `SELECT json_agg(s.units) AS tuples FROM (${tuplesSql('sku_key = ANY($1::int[])')}) s`,
    [skus],
  );
  const bySku = suppliesOf(rows[0]?.tuples ?? null);
  return new Map(skus.map((sku) => [sku, bySku.get(sku) ?? noSupply(sku)]));
}

interface Loaded {
  readonly terms: FreeingTerms;
  readonly supplies: Supplies;
  readonly watermarks: Awaited<ReturnType<typeof readWatermarks>>;
}

function decideRows(
  feed: FeedRecord,
  rows: readonly DeltaRow[],
  { supplies, watermarks, terms }: Loaded,
  gates: ChunkGates,
  newKeys: Iterator<SupplyKey>,
): { readonly writes: Writes; readonly changed: number } {
  const writes = new Writes();
  const current = new Map(supplies);
  const versions = new Map(gates.skus.map((sku, index) => [sku, (gates.versions[index] ?? 0) + 1]));
  const newlyShort = new Set<SkuKey>();
  const deferred = new Set<SkuKey>();
  let changed = 0;
  for (const { sku_key: sku, node_key: node, quantity, at_ms: occurredAt, record_id } of rows) {
    const movement = { type: 'adjustment', sku, node, toNode: null, quantity } as const;
    const decision = decideMovements([movement], current, { occurredAt, watermarks });
    if (!decision.ok) throw new Error(`Broken invariant: an adjustment was refused with ${decision.rejection.code}`);
    const { postings } = decision.value;
    const happened = Math.min(occurredAt, terms.now);
    const told = { source: feed.source_key, sourceName: feed.source, sourceEventId: record_id ?? feed.id };
    const origin = { ...told, reason: 'delta', occurredAt: happened };
    const before = current.get(sku) ?? noSupply(sku);
    for (const [key, supply] of decision.value.supplies) current.set(key, withKeys(supply, newKeys));
    const deferring = defer(before, current, terms);
    if (deferring.length > 0) deferred.add(sku);
    for (const posting of [...postings, ...deferring]) {
      if (leavesShort(posting)) newlyShort.add(sku);
      const { key } = rowOf(current.get(sku) ?? noSupply(sku), posting.at);
      writes.post(posting, key, versions.get(sku) ?? 0, origin);
    }
    if (postings.length > 0) changed += 1;
  }
  for (const [sku, supply] of current) {
    const before = supplies.get(sku);
    if (!before || before === supply) continue;
    const { rows, needsLook, beginsAnew } = consequencesOf(before, supply, { newlyShort: newlyShort.has(sku) });
    writes.changeRows(before, rows);
    writes.changedSkus.push({ sku, rows, version: versions.get(sku) ?? 0, trace: feed.trace });
    if (needsLook) writes.tendLater(sku, beginsAnew ? { below: null } : {});
    if (deferred.has(sku)) writes.tendLater(sku, { after: null });
  }
  return { writes, changed };
}

/** Units that have come while somebody waits for the SKU are given out by a task, in slices. */
function defer(before: SkuSupply, current: Map<SkuKey, SkuSupply>, terms: FreeingTerms): readonly Posting[] {
  const { sku } = before;
  const freed = isWaitedFor(before) ? freedBy(before, current.get(sku) ?? before) : [];
  if (freed.length === 0) return [];
  const { effect } = freeUnits(sku, freed, { ...NOBODY_WAITS, hasMore: true }, current, terms);
  for (const [key, supply] of effect.supplies) current.set(key, supply);
  return effect.postings;
}
