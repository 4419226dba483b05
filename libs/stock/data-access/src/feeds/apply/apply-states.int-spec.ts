/** Counts of states as they are read and applied, against the domain: random books are staged and applied as feeds. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  COUNTED_STATES,
  type CountOfState,
  type CountedState,
  NO_INBOUND,
  STATE_OF,
  SupplyDraft,
  consequencesOf,
  countState,
  defer,
  emptyRow,
  inSettlingOrder,
  isWaitedFor,
  leavesShort,
  rowAt,
  rowFault,
  rowKey,
  stockAt,
} from '@onepool/stock-domain';
import fc from 'fast-check';
import { BLOCK_MASK, readWatermarks } from '../../repository/watermarks.ts';
import { FEEDER, MOMENT_MS, skuCode, writeBooks, writeNodes } from '../../testing/books-in-database.ts';
import { COUNTING, type CountedBook, NODES, countedBook, nodeCode } from '../../testing/counted-books.ts';
import { type Outcome, refusalOf } from '../../testing/expected-of-count.ts';
import { outcomesOf } from '../../testing/outcomes-in-database.ts';
import { SCHEMA, type StockDatabase, createStockDatabase } from '../../testing/stock-database.ts';
import { StockFeeds } from '../stock-feeds.ts';

const BOOKS = 60;
const SKU = 1;

let database: StockDatabase;
let feeds: StockFeeds;
beforeAll(async () => {
  database = await createStockDatabase();
  await writeNodes(database.pool);
  feeds = new StockFeeds({ url: database.url, schema: SCHEMA, partitionCount: 4, rowsPerChunk: 25 });
});
afterAll(async () => {
  await feeds.close();
  await database.drop();
});

/** How many units are in a state of a row; `at` in milliseconds after the moment that all times are told from. */
interface Told extends Omit<CountOfState, 'since'> {
  readonly node: number;
  readonly at: number;
}

const rowIn = ({ rows }: Pick<CountedBook, 'rows'>, node: number) =>
  rows.find((row) => row.node === node) ?? emptyRow(stockAt(node));

const bookWithCounts = countedBook.chain((book) =>
  fc.record({
    book: fc.constant(book),
    counts: fc
      .uniqueArray(
        fc.record({
          node: fc.constantFrom(...NODES),
          state: fc.constantFrom(...COUNTED_STATES),
          // Many counts say what the book says.
          quantity: fc.oneof(fc.constant(null), fc.nat(12), fc.nat(100_000_000)),
          at: fc.integer({ min: -4, max: 4 }),
        }),
        { selector: ({ node, state }) => `${node}/${state}`, minLength: 1, maxLength: 4 },
      )
      .map((counts) =>
        counts.map(({ quantity, ...one }): Told => {
          return { ...one, quantity: quantity ?? rowIn(book, one.node)[STATE_OF[one.state].field] };
        }),
      ),
  }),
);
const manyBooks = fc
  .array(bookWithCounts, { minLength: BOOKS, maxLength: BOOKS })
  .map((books) => Object.assign(books, { [fc.toStringMethod]: () => `${books.length} books` }));

type Compared = Pick<Outcome, 'rows' | 'version' | 'entries' | 'task'>;
interface Expected extends Compared {
  /** By node and state, as a feed's refusals tell them. */
  readonly told: readonly string[];
  readonly counted: readonly string[];
}

const byPlace = (a: Told, b: Told): number =>
  a.node - b.node || COUNTED_STATES.indexOf(a.state) - COUNTED_STATES.indexOf(b.state);

function sinceOf({ events }: CountedBook, { node, state, at }: Told): number {
  const later = events.filter((event) => event.node === node && event.at > at);
  const units = (of: 'from' | 'to'): number =>
    later.filter((event) => event[of] === state).reduce((sum, { quantity }) => sum + quantity, 0);
  return units('to') - units('from');
}

function expectedOf(book: CountedBook, counts: readonly Told[]): Expected {
  const before = { sku: SKU, rows: book.rows, future: book.future, inbound: NO_INBOUND };
  const draft = new SupplyDraft(new Map([[SKU, before]]));
  const entries: Outcome['entries'][number][] = [];
  const told: string[] = [];
  const marks = (state: CountedState) => book.marks.filter((mark) => mark.state === state);
  const codes = counts.toSorted(byPlace).map((count) => [count, refusalOf(marks(count.state), count)] as const);
  for (const [{ node, state }, code] of codes) if (code !== null) told.push(`${node}/${state}: ${code}`);
  const fresh = codes.flatMap(([count, code]) => (code === null ? [count] : []));
  let isDeferred = false;
  for (const node of NODES) {
    const here = fresh
      .filter((count) => count.node === node)
      .map((count) => ({ ...count, since: sinceOf(book, count) }));
    for (const count of inSettlingOrder(rowIn(book, node), here)) {
      const at = stockAt(node);
      const known = draft.effect().postings.length;
      const { available } = rowAt(draft.supply(SKU), node);
      draft.change(SKU, at, (row) => {
        const change = countState(row, count);
        if (change.beyond > 0) told.push(`${node}/${count.state}: state.exceeds_stock`);
        return change;
      });
      const freed = Math.max(0, rowAt(draft.supply(SKU), node).available - available);
      if (freed > 0 && isWaitedFor(before)) {
        draft.change(SKU, at, (row) => defer(row, freed));
        isDeferred = true;
      }
      for (const { from, to, quantity } of draft.effect().postings.slice(known))
        entries.push({ node, from, to, quantity, at: count.at, hasRecordId: false });
    }
  }
  const after = draft.supply(SKU);
  const { rows, needsLook, beginsAnew } = consequencesOf(before, after, { newlyShort: entries.some(leavesShort) });
  return {
    rows: after.rows.toSorted((a, b) => a.node - b.node),
    version: book.version + (rows.length > 0 ? 1 : 0),
    entries,
    task:
      isDeferred || (rows.length > 0 && needsLook)
        ? { isDue: true, beforeKey: beginsAnew ? null : (book.task?.beforeKey ?? null) }
        : book.task,
    told: told.toSorted(),
    counted: fresh.map(({ node, state, at }) => `${node}/${state} at ${at}`),
  };
}

const valueOf = <T>(answer: { readonly ok: true; readonly value: T } | { readonly ok: false }): T => {
  if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer)}`);
  return answer.value;
};

let fed = 0;
async function feed(lines: readonly object[]) {
  const id = `feed-${++fed}`;
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
  const capturedAt = new Date(MOMENT_MS).toISOString();
  const query = { id, source: COUNTING, mode: 'reset', measure: 'physical', capturedAt } as const;
  valueOf(await feeds.receive({ actor: FEEDER, person: null, query, format: 'ndjson', body: body(), trace: null }));
  await feeds.worker.once();
  const { items } = valueOf(await feeds.reads.refusals(FEEDER, id, 1_000, undefined));
  return { ...valueOf(await feeds.reads.feed(FEEDER, id)), refusals: items };
}

let lastSku = 0;

describe('a count of states makes of every book what the domain makes of it', () => {
  it.each([
    ['side by side', 1],
    ['far apart', 50],
  ])('of SKUs %s', async (_, step) => {
    await fc.assert(
      fc.asyncProperty(manyBooks, async (some) => {
        lastSku = (lastSku | BLOCK_MASK) + BLOCK_MASK - BOOKS / 2;
        const books = some.map(({ book, counts }) => ({ book: { ...book, sku: (lastSku += step) }, counts }));
        await writeBooks(
          database.pool,
          books.map(({ book }) => book),
        );
        const told = books.flatMap(({ book: { sku }, counts }) => counts.map((count) => ({ ...count, sku })));
        const { state, rows, refusals } = await feed(
          told.map(({ sku, node, at, ...count }) => {
            const capturedAt = new Date(MOMENT_MS + at).toISOString();
            return { sku: skuCode(sku), node: nodeCode(node), ...count, capturedAt };
          }),
        );
        const outcomes = await outcomesOf(
          database.pool,
          books.map(({ book }) => book),
          [],
        );
        const watermarks = await readWatermarks(
          database.pool,
          books.map(({ book }) => book.sku),
        );
        const linesOf = (sku: number): readonly string[] =>
          refusals.flatMap(({ line, code }) => {
            const one = told[line - 1];
            return one?.sku === sku ? [`${one.node}/${one.state}: ${code}`] : [];
          });
        const found = books.map(({ book: { sku }, counts }): Expected => {
          const { rows: after, version, entries, task } = outcomes.get(sku)!;
          const counted = counts.toSorted(byPlace).flatMap(({ node, state: of, at }) => {
            const mark = watermarks.get(rowKey(sku, node, of));
            return mark?.capturedAt === MOMENT_MS + at ? [`${node}/${of} at ${at}`] : [];
          });
          return { rows: after, version, entries, task, told: linesOf(sku).toSorted(), counted };
        });
        const expected = books.map(({ book, counts }) => expectedOf(book, counts));
        expect(found).toEqual(expected);
        expect(found.flatMap((one) => one.rows.map(rowFault)).filter(Boolean)).toEqual([]);
        expect([state, rows.received, rows.applied]).toEqual(['done', told.length, expect.any(Number)]);
      }),
      { numRuns: 2, endOnFailure: true },
    );
  });
});
