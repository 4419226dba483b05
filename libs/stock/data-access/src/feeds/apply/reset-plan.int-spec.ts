/** What a count opens of a ledger of three years: the months since then. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { type StockDatabase, createStockDatabase } from '../../testing/stock-database.ts';
import type { FeedRecord } from '../feed-record.ts';
import { type Density, resetStatement } from './reset-statement.ts';

const MONTHS = 36;
const DAY_MS = 86_400_000;

let database: StockDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createStockDatabase();
  ({ pool } = database);
  await pool.query('SELECT create_feed_stage(1, 1)');
  await pool.query(
    `INSERT INTO ledger (sku_key, sku_version, ordinal, supply_key, node_key, from_state, to_state, quantity, reason, source_key, occurred_at, recorded_at)
     SELECT sku, (${MONTHS} - month) * 20 + step, 0, sku, 1, 0, 2, 1, 'receipt', 0, at, at
       FROM generate_series(1, 100) AS sku, generate_series(0, ${MONTHS}) AS month, generate_series(1, 20) AS step,
            LATERAL (SELECT now() - make_interval(months => month)) AS t (at)`,
  );
  await pool.query('SELECT make_partitions(14, 1000)');
  await pool.query('VACUUM ANALYZE ledger');
});
afterAll(() => database.drop());

/** Months of the ledger that a plan opens. */
async function opened(explain: string, values: readonly unknown[] = []): Promise<readonly string[]> {
  const { rows } = await pool.query<Record<string, unknown>>(`EXPLAIN (FORMAT JSON) ${explain}`, [...values]);
  return [...new Set(JSON.stringify(rows).match(/(?<="Relation Name":")ledger_(?:p\d{6}|default)(?=")/g))].sort();
}

const monthOf = (time: number): string => `ledger_p${new Date(time).toISOString().slice(0, 7).replace('-', '')}`;

describe('a count', () => {
  const feed = { feed_key: 1, attempt: 1, measure: 'availability', deducts_at: 1 } as FeedRecord;
  const yesterday = Date.now() - DAY_MS;
  const values = [
    1,
    0,
    50,
    [1, 2, 3],
    ['a', 'b', 'c'],
    [1, 2, 3],
    3,
    yesterday,
    1,
    'feed',
    null,
    10,
    ['sku/a', 'sku/b', 'sku/c'],
    '"wms"',
    [1],
    ['n1'],
    ['count/wms/n1'],
    [1],
    2_000,
  ];

  it.each<[Density, string]>([
    ['dense', 'force_custom_plan'],
    ['sparse', 'force_custom_plan'],
    ['dense', 'force_generic_plan'],
    ['sparse', 'force_generic_plan'],
  ])('of %s chunks opens the months since then, by a plan that is %s', async (density, mode) => {
    await pool.query(`SET plan_cache_mode = ${mode}`);
    const name = `reset-${density}`;
    // No feed is being applied, so that this prepares and does nothing.
    await pool.query({ name, text: resetStatement(feed, density), values });
    const literals = `1, 0, 50, '{1,2,3}', '{a,b,c}', '{1,2,3}', 3, ${yesterday}, 1, 'feed', NULL, 10, '{sku/a,sku/b,sku/c}', '"wms"', '{1}', '{n1}', '{count/wms/n1}', '{1}', 2000`;
    const months = await opened(`EXECUTE "${name}"(${literals})`);
    expect(months).toContain(monthOf(Date.now()));
    const first = monthOf(yesterday - DAY_MS);
    for (const month of months.filter((one) => one !== 'ledger_default')) expect(month >= first).toBe(true);
    expect(months.length).toBeLessThanOrEqual(4);
  });
});

describe('the ledger of a SKU', () => {
  it('is read page by page in order from the index of each month, without a sort', async () => {
    const page = `SELECT * FROM ledger WHERE sku_key = $1 AND (sku_version, ordinal) > ($2, $3) ORDER BY sku_version, ordinal LIMIT $4`;
    const { rows } = await pool.query<Record<string, unknown>>(`EXPLAIN (FORMAT JSON) ${page}`, [1, 0, -1, 20]);
    const plan = JSON.stringify(rows);
    expect(plan).toContain('"Merge Append"');
    expect(plan).not.toMatch(/"Node Type":"(?:Sort|Seq Scan|Incremental Sort)"/);
  });
});
