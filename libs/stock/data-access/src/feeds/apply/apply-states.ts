/**
 * Applies a physical reset of which some rows count the units of one state. Rows of a chunk that count all that is there are settled
 * by the statement of every reset; then those of states are, row by row, by the domain, in the same transaction and under the same
 * gates. A feed without such rows never comes here.
 */
import { inTransaction } from '@onepool/platform-postgres';
import {
  type SellingRules,
  SupplyDraft,
  countInspections,
  countState,
  inSettlingOrder,
  rowAt,
  stockAt,
} from '@onepool/stock-domain';
import type pg from 'pg';
import { openInspections } from '../../decision/open-inspections.ts';
import type { FeedRecord } from '../feed-record.ts';
import { refuse } from '../upload/staging.ts';
import type { RowFault } from '../upload/row-batch.ts';
import type { RulesSource } from '../../catalogue/rules-source.ts';
import { type OpenInspection, readOpenInspections } from '../../repository/inspections.ts';
import { type ChunkDone, FeedMovedOnError, lockChunkGates, lockFeed } from './chunk.ts';
import { ChunkBook, type DecidingContext, readSupplies } from './chunk-book.ts';
import { type Chunk, RESET_CHUNK, type ResetPlan, nextChunk, planReset, resetQuery } from './reset-chunk.ts';
import { type StateRow, markStates, readStateRows, tellCountedStates } from './state-rows.ts';

export interface StatesContext extends DecidingContext {
  readonly rules: RulesSource;
}

/** Settles what lies after the cursor, at the context's pace; ends when nothing is left. */
export async function* applyStates(
  context: StatesContext,
  feed: FeedRecord,
  cursor: number,
): AsyncGenerator<ChunkDone, void, void> {
  const { pool, pace } = context;
  const plan = await planReset(pool, feed, context);
  let chunk = await nextChunk(pool, plan.shape, cursor, pace.rows);
  while (chunk !== null) {
    await pace.pause();
    yield await applyChunk(context, plan, chunk);
    chunk = await nextChunk(pool, plan.shape, chunk.end, pace.rows);
  }
}

async function applyChunk(context: StatesContext, plan: ResetPlan, chunk: Chunk): Promise<ChunkDone> {
  const started = performance.now();
  const { feed } = plan;
  const rules = await context.rules.current();
  const reset = resetQuery(plan, chunk, context);
  const changed = await inTransaction(context.pool, RESET_CHUNK, async (client) => {
    await lockChunkGates(client, chunk.skus);
    const now = await lockFeed(client, feed, chunk.from);
    const [totals] = (await client.query<{ applied: number }>(reset)).rows;
    if (!totals) throw new FeedMovedOnError(`feed ${feed.feed_key} is no longer at ${chunk.from}`);
    const counted = await countStates(client, { feed, chunk, rules, now }, context);
    await client.query(
      `UPDATE feed SET applied = applied + $2, refused = refused + $3, refused_applying = refused_applying + $3 WHERE feed_key = $1`,
      [feed.feed_key, counted.applied, counted.refused],
    );
    return totals.applied + counted.applied > 0;
  });
  return { changed, upto: chunk.end, tookMs: performance.now() - started };
}

interface Counting {
  readonly feed: FeedRecord;
  readonly chunk: Chunk;
  readonly rules: SellingRules;
  /** Milliseconds. */
  readonly now: number;
}

/** After all that is there has been counted: what is damaged is so many of that. */
async function countStates(
  client: pg.PoolClient,
  { feed, chunk, rules, now }: Counting,
  context: StatesContext,
): Promise<{ readonly applied: number; readonly refused: number }> {
  const rows = await readStateRows(client, feed, chunk);
  if (rows.length === 0) return { applied: 0, refused: 0 };
  const refusals = rows.flatMap((row) => refusalOf(row) ?? []);
  const fresh = rows.filter((row) => refusalOf(row) === null);
  const skus = [...new Set(fresh.map(({ sku }) => sku))];
  // Those that the totals have changed have another version since.
  const gates = await lockChunkGates(client, skus);
  const book = new ChunkBook(await readSupplies(client, skus), gates, { rules, now }, []);
  const inspected = fresh.filter(({ state }) => state === 'quality_control').map(({ sku }) => sku);
  const inspections = new Inspections(await readOpenInspections(client, inspected), book, { feed, rules, now });
  const notes: RowFault[] = [];
  let applied = 0;
  for (const row of inOrder(fresh, book)) {
    const { isApplied, beyond } = count(row, feed, book, now);
    if (isApplied) applied += 1;
    if (beyond > 0) notes.push(exceeds(row, beyond));
    if (row.state === 'quality_control') inspections.settle(row);
  }
  await refuse(client, feed.feed_key, [...refusals, ...notes]);
  await book.send(client, feed.trace, context);
  await markStates(client, feed, fresh);
  await tellCountedStates(client, fresh, { feed, chunk, gates, rules, now }, context);
  return { applied, refused: refusals.length };
}

function refusalOf({ line, at, newest, own }: StateRow): RowFault | null {
  if (own !== null && own > at)
    return { line, code: 'feed.stale', message: 'the source has told a newer count of this state of the row' };
  if (newest !== null && newest > at)
    return { line, code: 'feed.superseded', message: 'another source has told a newer count of this state of the row' };
  return null;
}

const exceeds = ({ line, state, quantity }: StateRow, beyond: number): RowFault => ({
  line,
  code: 'state.exceeds_stock',
  message: `of ${quantity} counted as ${state} the row does not have ${beyond}; count all that is there as well`,
});

/** Of one row of the book, states that give units back come before those that need some. */
function* inOrder(rows: readonly StateRow[], book: ChunkBook): Generator<StateRow, void, void> {
  for (let from = 0; from < rows.length;) {
    const { sku, node } = rows[from] as StateRow;
    const size = rows.slice(from).findIndex((one) => one.sku !== sku || one.node !== node);
    const to = size < 0 ? rows.length : from + size;
    yield* inSettlingOrder(rowAt(book.supply(sku), node), rows.slice(from, to));
    from = to;
  }
}

function count(
  { sku, node, at, recordId, ...counted }: StateRow,
  feed: FeedRecord,
  book: ChunkBook,
  now: number,
): { readonly isApplied: boolean; readonly beyond: number } {
  const draft = new SupplyDraft(book.supplies);
  let beyond = 0;
  draft.change(sku, stockAt(node), (row) => {
    const change = countState(row, counted);
    ({ beyond } = change);
    return change;
  });
  const effect = draft.effect();
  const told = { source: feed.source_key, sourceName: feed.source, sourceEventId: recordId ?? feed.id };
  book.apply(sku, effect, { ...told, reason: 'reset', occurredAt: Math.min(at, now) });
  return { isApplied: effect.postings.length > 0, beyond };
}

/** After a count of what is in quality control, as many units wait for approval as are there. */
class Inspections {
  readonly #open: readonly OpenInspection[];
  readonly #book: ChunkBook;
  readonly #counting: Omit<Counting, 'chunk'>;

  constructor(open: readonly OpenInspection[], book: ChunkBook, counting: Omit<Counting, 'chunk'>) {
    this.#open = open;
    this.#book = book;
    this.#counting = counting;
  }

  settle({ sku, node, line }: StateRow): void {
    const { feed, rules, now } = this.#counting;
    const { writes } = this.#book;
    const open = this.#open.filter((one) => one.sku === sku && one.node === node);
    const there = rowAt(this.#book.supply(sku), node).qualityControl;
    const { missing, beyond } = countInspections(
      open.map((one) => one.open),
      there,
    );
    for (const [place, { key, ...inspection }] of open.entries()) {
      const gone = missing[place] ?? 0;
      if (gone === 0) continue;
      const left = { open: inspection.open - gone, missing: inspection.missing + gone };
      writes.inspections.set(key, { ...inspection, ...left });
    }
    if (beyond === 0) return;
    const of = { actor: feed.actor, commandId: feed.id, line: line || null, detail: null, refused: null };
    const cause = { origin: 'count', reason: 'reset', ...of } as const;
    openInspections([{ sku, node, quantity: beyond }], cause, { rules, now }, writes);
  }
}
