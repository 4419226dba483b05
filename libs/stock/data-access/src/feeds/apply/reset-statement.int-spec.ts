/** A reset's statement, as it ships, against the domain: random books are staged and applied as feeds, and compared one by one. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Measure, type Stage, rowFault } from '@onepool/stock-domain';
import fc from 'fast-check';
import {
  FEEDER,
  type KeyedBook,
  MOMENT_MS,
  linesOf,
  setDeductsAt,
  writeBooks,
  writeNodes,
} from '../../testing/books-in-database.ts';
import { COUNTING, countedBook } from '../../testing/counted-books.ts';
import { expectedOf } from '../../testing/expected-of-count.ts';
import { outcomesOf } from '../../testing/outcomes-in-database.ts';
import { SCHEMA, type StockDatabase, createStockDatabase } from '../../testing/stock-database.ts';
import { BLOCK_MASK } from '../../repository/watermarks.ts';
import { StockFeeds } from '../stock-feeds.ts';

const BOOKS = 60;
const ROWS_PER_CHUNK = 25;

let database: StockDatabase;
let feeds: StockFeeds;
beforeAll(async () => {
  database = await createStockDatabase();
  await writeNodes(database.pool);
  feeds = new StockFeeds({ url: database.url, schema: SCHEMA, partitionCount: 4, rowsPerChunk: ROWS_PER_CHUNK });
});
afterAll(async () => {
  await feeds.close();
  await database.drop();
});

const valueOf = <T>(answer: { readonly ok: true; readonly value: T } | { readonly ok: false }): T => {
  if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer)}`);
  return answer.value;
};

let fed = 0;

/** Answers the feed when it has been applied. */
async function count(books: readonly KeyedBook[], measure: Measure) {
  const id = `feed-${++fed}`;
  const lines = linesOf(books).map((line) => `${JSON.stringify(line)}\n`);
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(lines.join(''));
  }
  const capturedAt = new Date(MOMENT_MS).toISOString();
  const query = { id, source: COUNTING, mode: 'reset', measure, completeness: 'partial', capturedAt } as const;
  valueOf(await feeds.receive({ actor: FEEDER, person: null, query, format: 'ndjson', body: body(), trace: null }));
  await feeds.worker.once();
  const { items } = valueOf(await feeds.reads.refusals(FEEDER, id, 1_000, undefined));
  return { ...valueOf(await feeds.reads.feed(FEEDER, id)), refusals: items };
}

/** A failure shows what differs, book by book; all the others beside it would hide that. */
const manyBooks = fc
  .array(countedBook, { minLength: BOOKS, maxLength: BOOKS })
  .map((books) => Object.assign(books, { [fc.toStringMethod]: () => `${books.length} books` }));

let lastSku = 0;

/** Keys in blocks of watermarks that no one else is in; if they lie side by side, in two of them. */
function keysFrom(step: number): () => number {
  lastSku = (lastSku | BLOCK_MASK) + BLOCK_MASK - BOOKS / 2;
  return () => (lastSku += step);
}

describe('a count makes of every book what the domain makes of it', () => {
  it.each<[Measure, string, number, Stage | null]>([
    ['physical', 'side by side', 1, null],
    ['physical', 'far apart', 50, null],
    ['availability', 'side by side', 1, 'accepted'],
    ['availability', 'far apart', 50, 'picked'],
    ['availability', 'side by side', 1, 'shipped'],
  ])('%s, of SKUs %s', async (measure, _, step, deductsAt) => {
    if (deductsAt) await setDeductsAt(database.pool, deductsAt);
    await fc.assert(
      fc.asyncProperty(manyBooks, async (some) => {
        const nextKey = keysFrom(step);
        const books = some.map((book): KeyedBook => ({ ...book, sku: nextKey() }));
        await writeBooks(database.pool, books);
        const { state, rows, refusals } = await count(books, measure);
        const outcomes = await outcomesOf(database.pool, books, refusals);
        const expected = books.map((book) => ({ book, outcome: expectedOf(book, deductsAt) }));
        expect(books.map((book) => ({ book, outcome: outcomes.get(book.sku) }))).toEqual(expected);
        expect([...outcomes.values()].flatMap((outcome) => outcome.rows.map(rowFault)).filter(Boolean)).toEqual([]);
        expect(state).toBe('done');
        expect(rows).toMatchObject({
          applied: expected.reduce((sum, { outcome }) => sum + (outcome.told?.length ?? 0), 0),
          refused: refusals.length,
          received: books.reduce((sum, { counts }) => sum + counts.length, 0),
        });
      }),
      // Making the other books smaller would only cost time.
      { numRuns: 2, endOnFailure: true },
    );
  });
});
