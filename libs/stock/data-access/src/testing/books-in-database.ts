/** Counted books in a database, and the feed that counts them. */
import { ACCOUNTS, STOCK_STATES, type SupplyRow, unitsOf } from '@onepool/stock-domain';
import type pg from 'pg';
import { BLOCK_BITS, BLOCK_MASK } from '../repository/watermarks.ts';
import { type CountedBook, NODES, nodeCode } from './counted-books.ts';

/** The moment that all times of books are counted from. */
export const MOMENT_MS = Date.UTC(2025, 5, 15, 12);
const FAR_FUTURE = '2100-01-01T00:00:00Z';
const timeOf = (at: number | null): string | null => (at === null ? null : new Date(MOMENT_MS + at).toISOString());

/** A book under a SKU key of its own. */
export type KeyedBook = CountedBook & { readonly sku: number };
export const skuCode = (sku: number): string => `sku-${sku}`;

async function insert(pool: pg.Pool, table: string, rows: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const columns = Object.keys(first).join(', ');
  await pool.query(
    `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM json_populate_recordset(NULL::${table}, $1)`,
    [JSON.stringify(rows)],
  );
}

export async function writeNodes(pool: pg.Pool): Promise<void> {
  await insert(
    pool,
    'catalog.node',
    NODES.map((node) => ({ node_key: node, code: nodeCode(node), type: 'store' })),
  );
}

const columnsOf = (sku: number, row: SupplyRow): Record<string, number> => ({
  sku_key: sku,
  node_key: row.node,
  ...Object.fromEntries(STOCK_STATES.map(({ account }, place) => [account, unitsOf(row)[place] ?? 0])),
});

let reservations = 0;

export async function writeBooks(pool: pg.Pool, books: readonly KeyedBook[]): Promise<void> {
  const rowsOfEach = <T>(rows: (book: KeyedBook) => readonly T[]): T[] => books.flatMap(rows);
  await insert(
    pool,
    'catalog.sku',
    books.map(({ sku }) => ({ sku_key: sku, code: skuCode(sku) })),
  );
  await insert(
    pool,
    'sku_gate',
    books.map(({ sku, version }) => ({ sku_key: sku, version })),
  );
  await insert(
    pool,
    'stock',
    rowsOfEach(({ sku, rows }) => rows.map((row) => columnsOf(sku, row))),
  );
  const entries = rowsOfEach(({ sku, events }) =>
    events.map((event, ordinal) => ({
      ...{ sku_key: sku, sku_version: 0, ordinal, node_key: event.node, quantity: event.quantity },
      ...{ from_state: ACCOUNTS.indexOf(event.from), to_state: ACCOUNTS.indexOf(event.to), reason: event.reason },
      ...{ source: 'pos', occurred_at: timeOf(event.at), recorded_at: timeOf(event.at) },
      acknowledged_at: timeOf(event.acknowledgedAt),
    })),
  );
  await insert(pool, 'ledger', entries);
  const backings = rowsOfEach(({ sku, promises }) =>
    promises.map(({ node, held, confirmed, pinnedAt }) => ({
      ...{ reservation_key: ++reservations, sku_key: sku, node_key: node, kind: 0, held, confirmed, fulfilled: 0 },
      ...{ released: 0, expired: 0, cancelled: 0, expires_at: FAR_FUTURE, pinned_at: timeOf(pinnedAt) },
    })),
  );
  await insert(pool, 'backing', backings);
  const exceptions = rowsOfEach(({ sku, exceptions: open }) =>
    open.map(({ node, quantity }) => ({ sku_key: sku, node_key: node, quantity })),
  );
  const broken = { code: 'promise.broken', opened_at: timeOf(0) };
  await insert(
    pool,
    'stock_exception',
    exceptions.map((one) => ({ ...broken, ...one })),
  );
  const tasks = books.flatMap(({ sku, task }) =>
    task ? [{ sku_key: sku, due_at: task.isDue ? timeOf(0) : FAR_FUTURE, before_key: task.beforeKey }] : [],
  );
  await insert(pool, 'sku_task', tasks);
  await insert(pool, 'feed_watermark', blocksOf(books));
}

function blocksOf(books: readonly KeyedBook[]): readonly Record<string, unknown>[] {
  const blocks = new Map<string, { captured: number[]; [key: string]: unknown }>();
  for (const { sku, marks } of books) {
    for (const { node, source, measure, at } of marks) {
      const key = { block: sku >> BLOCK_BITS, node_key: node, source, measure };
      const name = JSON.stringify(key);
      const block = blocks.get(name) ?? { ...key, captured: Array.from({ length: BLOCK_MASK + 1 }, () => 0) };
      const place = sku & BLOCK_MASK;
      block.captured[place] = Math.max(block.captured[place] ?? 0, MOMENT_MS + at);
      blocks.set(name, block);
    }
  }
  return [...blocks.values()];
}

/** The rows of a feed that tells what was counted. */
export const linesOf = (books: readonly KeyedBook[]) =>
  books.flatMap(({ sku, counts }) =>
    counts.map(({ node, quantity, at, hasRecordId }) => ({
      sku: skuCode(sku),
      node: nodeCode(node),
      quantity,
      capturedAt: timeOf(at),
      ...(hasRecordId ? { recordId: `record-${sku}-${node}` } : {}),
    })),
  );
