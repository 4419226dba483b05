/** By which indexes pages of inspections are read, of as many as there are after years. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { type StockDatabase, createStockDatabase } from '../testing/stock-database.ts';
import { type SoughtInspections, inspectionsStatement } from './inspection-reads.ts';

const ALL = 100_000;
const SKUS = 1_000;
const NODES = 200;
/** One in so many is open. */
const OPEN_ONE_IN = 250;

let database: StockDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createStockDatabase();
  ({ pool } = database);
  await pool.query(`INSERT INTO catalog.sku SELECT key, 'sku' || key FROM generate_series(1, ${SKUS}) AS key`);
  await pool.query(
    `INSERT INTO inspection (sku_key, node_key, origin, actor, command_id, reason, quantity, open, approved, opened_at, due_at, closed_at)
     SELECT 1 + no % ${SKUS}, 1 + no / 7 % ${NODES}, 2, 'wms', 'look' || no, 'look', 1, is_open::int, 1 - is_open::int,
            now() - interval '9 days', now() - interval '7 days', CASE WHEN is_open THEN NULL ELSE now() END
       FROM generate_series(1, ${ALL}) AS no, LATERAL (SELECT no % ${OPEN_ONE_IN} = 0) AS t (is_open)`,
  );
  await pool.query('VACUUM ANALYZE inspection');
  await pool.query('VACUUM ANALYZE catalog.sku');
});
afterAll(() => database.drop());

const FIRST: SoughtInspections = { after: 0, sku: null, nodes: null, open: false, overdue: false, limit: 20 };

/** What a page is read by, and whether it is sorted. */
async function planOf(sought: Partial<SoughtInspections>): Promise<{ indexes: readonly string[]; isSorted: boolean }> {
  const { text, values } = inspectionsStatement({ ...FIRST, ...sought });
  const { rows } = await pool.query<Record<string, unknown>>(`EXPLAIN (FORMAT JSON) ${text}`, values);
  const plan = JSON.stringify(rows);
  return {
    indexes: plan.match(/(?<="Index Name":")inspection_\w+(?=")/g) ?? [],
    isSorted: /"Node Type":"(?:Incremental )?Sort"/.test(plan),
  };
}

describe('a page of inspections', () => {
  it.each<[string, Partial<SoughtInspections>, string]>([
    ['at a node', { nodes: [7] }, 'inspection_node'],
    ['at a node, further on', { nodes: [7], after: ALL / 2 }, 'inspection_node'],
    ['of all that are open at a node', { nodes: [7], open: true }, 'inspection_open'],
    ['of a SKU', { sku: 7 }, 'inspection_sku'],
    ['of all that are open', { open: true }, 'inspection_open'],
    ['of all that are overdue', { open: true, overdue: true }, 'inspection_open'],
    ['of all', {}, 'inspection_pkey'],
  ])('%s is read in order from its index, without a sort', async (_, sought, index) => {
    expect(await planOf(sought)).toEqual({ indexes: [index], isSorted: false });
  });
});
