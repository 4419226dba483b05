/** Counted books in a database, and the feed that counts them. */
import { ACCOUNTS, STAGES, STOCK_STATES, type Stage, type SupplyRow, rowKey, unitsOf } from '@onepool/stock-domain';
import type pg from 'pg';
import { BLOCK_BITS, BLOCK_MASK, measureOf } from '../repository/watermarks.ts';
import { stageCode } from '../sources/source-book.ts';
import { kindCode } from '../stock-columns.ts';
import { COUNTING, type CountedBook, NODES, SOURCES, nodeCode } from './counted-books.ts';

/** The moment that all times of books are counted from. */
export const MOMENT_MS = Date.UTC(2025, 5, 15, 12);
const FAR_FUTURE = '2100-01-01T00:00:00Z';
const timeOf = (at: number | null): string | null => (at === null ? null : new Date(MOMENT_MS + at).toISOString());

/** Who sends the feeds. */
export const FEEDER = 'wms';

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

const columnsOf = (sku: number, supplyKey: number, row: SupplyRow): Record<string, number> => ({
  ...{ supply_key: supplyKey, sku_key: sku, node_key: row.node, kind: kindCode(row.kind), detail_key: row.detail },
  ...Object.fromEntries(STOCK_STATES.map(({ account }, place) => [account, unitsOf(row)[place] ?? 0])),
});

/** Hands out keys of rows as the engine does. */
async function supplyKeys(pool: pg.Pool, count: number): Promise<Iterator<number>> {
  const text = `SELECT nextval('supply_key')::int AS key FROM generate_series(1, $1::int)`;
  const { rows } = await pool.query<{ key: number }>(text, [count]);
  return rows.map(({ key }) => key).values();
}

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
  const rowsInAll = rowsOfEach(({ sku, rows, future }) => [...rows, ...future].map((row) => ({ sku, row })));
  const keys = await supplyKeys(pool, rowsInAll.length);
  const keyed = rowsInAll.map(({ sku, row }) => ({ sku, row, key: Number(keys.next().value) }));
  await insert(
    pool,
    'supply',
    keyed.map(({ sku, row, key }) => columnsOf(sku, key, row)),
  );
  const keysOfStock = new Map(
    keyed.filter(({ row }) => row.kind === 'stock').map(({ sku, row, key }) => [rowKey(sku, row.node), key]),
  );
  const at = (sku: number, node: number) => ({
    sku_key: sku,
    node_key: node,
    supply_key: keysOfStock.get(rowKey(sku, node)),
  });
  const entries = rowsOfEach(({ sku, events }) =>
    events.map((event, ordinal) => ({
      ...at(sku, event.node),
      ...{ sku_version: 0, ordinal, quantity: event.quantity },
      ...{ from_state: ACCOUNTS.indexOf(event.from), to_state: ACCOUNTS.indexOf(event.to), reason: event.reason },
      ...{ source_key: 0, occurred_at: timeOf(event.at), recorded_at: timeOf(event.at) },
    })),
  );
  await insert(pool, 'ledger', entries);
  const promises = rowsOfEach(({ sku, promises: open }) => open.map((one) => ({ sku, one, key: ++reservations })));
  const nothing = { kind: 0, fulfilled: 0, released: 0, expired: 0, cancelled: 0, broken: 0 };
  await insert(
    pool,
    'backing',
    promises.map(({ sku, key, one: { node, steps: _, ...tallies } }) => ({
      ...{ ...at(sku, node), ...nothing, ...tallies, expires_at: FAR_FUTURE },
      ...{ reservation_key: key, backing_no: 0, line: 0, fulfilment: 'ful-1' },
    })),
  );
  const steps = promises.flatMap(({ sku, key, one: { node, steps: told } }) =>
    told.map(({ stage, units, at: toldAt }, version) => ({
      ...{ sku_key: sku, supply_key: at(sku, node).supply_key, reservation_key: key, reservation_version: version + 1 },
      ...{ backing_no: 0, stage: STAGES.indexOf(stage) + 1, units },
      ...{ occurred_at: timeOf(toldAt), recorded_at: timeOf(toldAt) },
    })),
  );
  await insert(pool, 'stage_entry', steps);
  const exceptions = rowsOfEach(({ sku, exceptions: open }) =>
    open.map(({ node, quantity }) => ({ sku_key: sku, node_key: node, quantity, subject: `stock/${sku}/${node}` })),
  );
  const short = { code: 'promise.short', opened_at: timeOf(0) };
  await insert(
    pool,
    'stock_exception',
    exceptions.map((one) => ({ ...short, ...one })),
  );
  const tasks = books.flatMap(({ sku, task }) =>
    task ? [{ sku_key: sku, due_at: task.isDue ? timeOf(0) : FAR_FUTURE, before_key: task.beforeKey }] : [],
  );
  await insert(pool, 'sku_task', tasks);
  await insert(pool, 'feed_watermark', blocksOf(books, await keysOfSources(pool)));
}

/** Sources of the principal that feeds. */
async function keysOfSources(pool: pg.Pool): Promise<ReadonlyMap<string, number>> {
  await pool.query('INSERT INTO source (principal, name) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING', [
    FEEDER,
    SOURCES,
  ]);
  const { rows } = await pool.query<{ name: string; source_key: number }>(
    'SELECT name, source_key FROM source WHERE principal = $1',
    [FEEDER],
  );
  return new Map(rows.map(({ name, source_key: key }) => [name, key]));
}

/** From which stage on the source that counts leaves promised units out. */
export async function setDeductsAt(pool: pg.Pool, stage: Stage): Promise<void> {
  await keysOfSources(pool);
  const values = [FEEDER, COUNTING, STAGES.indexOf(stage) + 1];
  await pool.query('UPDATE source SET deducts_at = $3 WHERE principal = $1 AND name = $2', values);
}

function blocksOf(
  books: readonly KeyedBook[],
  sources: ReadonlyMap<string, number>,
): readonly Record<string, unknown>[] {
  const blocks = new Map<string, { captured: number[]; [key: string]: unknown }>();
  for (const { sku, marks } of books) {
    for (const { node, source, deductsAt, state, at } of marks) {
      const measure = state === null ? stageCode(deductsAt) : measureOf(state);
      const key = { block: sku >> BLOCK_BITS, node_key: node, source_key: sources.get(source), measure };
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
