/** The proof of the ledger has to end however long the ledger has become. */
import { readsOf, type SpecReads } from './asking.ts';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type StockEngine } from '@onepool/stock-data-access';
import { ACCOUNTS } from '@onepool/stock-domain';
import type pg from 'pg';
import { type PoolFixture, createPoolFixture } from '../testing/pool-fixture.ts';

const SKUS = 64;

let pool: PoolFixture;
beforeAll(async () => {
  pool = await createPoolFixture(1, SKUS);
});
afterAll(() => pool.close());

/** Gives the first `skus` SKUs `entries` more entries of one unit each, and the balances that these make. */
async function write(skus: number, entries: number): Promise<void> {
  await pool.dataSource.query(
    `INSERT INTO ledger (sku_key, supply_key, sku_version, ordinal, node_key, from_state, to_state, quantity, reason, source_key, occurred_at, recorded_at)
     SELECT s.sku_key, s.sku_key, (SELECT count(*) FROM ledger l WHERE l.sku_key = s.sku_key) + i, 0, n.node_key, $3::smallint, $4::smallint, 1, 'receipt', 0, now(), now()
       FROM (SELECT sku_key FROM sku_code ORDER BY sku_key LIMIT $1) s, rules_node n, generate_series(1, $2::int) i`,
    [skus, entries, ACCOUNTS.indexOf('external'), ACCOUNTS.indexOf('available')],
  );
  await pool.dataSource.query(
    `INSERT INTO supply (supply_key, sku_key, node_key, available) SELECT supply_key, sku_key, node_key, count(*) FROM ledger GROUP BY 1, 2, 3
     ON CONFLICT (supply_key) DO UPDATE SET available = excluded.available`,
  );
}

/** The first SKU of the proof's order, or its last. */
async function skuAt(order: 'ASC' | 'DESC'): Promise<string> {
  const rows: { code: string }[] = await pool.dataSource.query(
    `SELECT code FROM sku_code ORDER BY sku_key ${order} LIMIT 1`,
  );
  return rows[0]!.code;
}

interface Range {
  readonly skus: number;
  readonly proved: boolean;
}

/**
 * The proof, on a server that adds up at most `entriesMax` entries within its statement_timeout, whatever machine it is
 * on: a statement about more of them finds the ledger locked until the server itself has cancelled it.
 */
function proofOnServerOf(entriesMax: number): { reads: SpecReads; ranges: readonly Range[] } {
  const engine = pool.engine();
  const ranges: Range[] = [];
  const { auditPool } = engine;
  const query = auditPool.query.bind(auditPool) as (text: string, values: unknown[]) => Promise<pg.QueryResult>;
  const slowQuery = async (text: string, values: unknown[]): Promise<pg.QueryResult> => {
    const [skus] = values;
    if (!Array.isArray(skus)) return query(text, values);
    const counted = await query('SELECT count(*)::int AS entries FROM ledger WHERE sku_key = ANY($1)', [skus]);
    const proved = (counted.rows[0] as { entries: number }).entries <= entriesMax;
    ranges.push({ skus: skus.length, proved });
    return proved ? query(text, values) : cancelledByServer(engine, text, values);
  };
  jest.spyOn(auditPool, 'query').mockImplementation(slowQuery as never);
  return { reads: readsOf(engine), ranges };
}

async function cancelledByServer({ auditPool }: StockEngine, text: string, values: unknown[]): Promise<pg.QueryResult> {
  const [locker, asker] = [pool.dataSource.createQueryRunner(), await auditPool.connect()];
  try {
    await locker.query('BEGIN');
    await locker.query('LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE');
    await asker.query('BEGIN; SET LOCAL statement_timeout = 10');
    return await asker.query(text, values);
  } finally {
    await asker.query('ROLLBACK');
    await locker.query('ROLLBACK');
    asker.release();
    await locker.release();
  }
}

const proved = (...sizes: number[]): Range[] => sizes.map((skus) => ({ skus, proved: true }));
const tooLong = (...sizes: number[]): Range[] => sizes.map((skus) => ({ skus, proved: false }));

describe('a ledger too long for one statement', () => {
  it('is proved by halves, and their halves, until each is short enough', async () => {
    await write(SKUS, 1);
    const { reads, ranges } = proofOnServerOf(SKUS / 4);
    expect(await reads.verifyLedger(undefined)).toEqual({ balanced: true, rowsChecked: SKUS, mismatches: [] });
    expect(ranges.slice(0, 3)).toEqual([...tooLong(64, 32), ...proved(16)]);
  });

  it('is proved by ranges that grow again where the ledger is short', async () => {
    await write(6, 16);
    const { reads, ranges } = proofOnServerOf(40);
    expect(await reads.verifyLedger(undefined)).toEqual({ balanced: true, rowsChecked: SKUS, mismatches: [] });
    const halved = tooLong(64, 32, 16, 8, 4);
    expect(ranges).toEqual([...halved, ...proved(2), ...tooLong(4), ...proved(2, 4, 8, 16, 32)]);
  });

  it('is told where it is wrong, in whichever range that is', async () => {
    const sku = await skuAt('DESC');
    await pool.dataSource.query(
      'UPDATE supply SET available = available + 1 WHERE sku_key = (SELECT sku_key FROM sku_code WHERE code = $1)',
      [sku],
    );
    const { reads } = proofOnServerOf(40);
    expect(await reads.verifyLedger(undefined)).toMatchObject({
      balanced: false,
      rowsChecked: SKUS,
      mismatches: [{ sku, state: 'available', book: 2, ledger: 1 }],
    });
  });

  it('of one SKU is told as such, with the SKU, and not as a proof that failed', async () => {
    await write(1, 100);
    const { reads } = proofOnServerOf(100);
    await expect(reads.verifyLedger(undefined)).rejects.toMatchObject({
      code: 'ledger.too_long',
      details: { sku: await skuAt('ASC') },
    });
  });
});

describe('rows of one SKU at one node', () => {
  it('are proved one by one: what is missing of one is not made up for by another', async () => {
    await pool.catalog.putSkus([{ sku: 'two-rows' }]);
    const rows = `(SELECT sku_key, node_key FROM sku_code, rules_node WHERE sku_code.code = 'two-rows') one`;
    await pool.dataSource.query(
      `INSERT INTO supply (supply_key, sku_key, node_key, kind, detail_key, available)
       SELECT -kind, sku_key, node_key, kind - 1, kind - 1, 1 FROM ${rows}, generate_series(1, 2) AS kind`,
    );
    await pool.dataSource.query(
      `INSERT INTO ledger (sku_key, supply_key, sku_version, ordinal, node_key, from_state, to_state, quantity, reason, source_key, occurred_at, recorded_at)
       SELECT sku_key, -1, 1, 0, node_key, $1::smallint, $2::smallint, 2, 'receipt', 0, now(), now() FROM ${rows}`,
      [ACCOUNTS.indexOf('external'), ACCOUNTS.indexOf('available')],
    );
    const { mismatches } = await readsOf(pool.engine()).verifyLedger('two-rows');
    expect(mismatches.map(({ book, ledger }) => [book, ledger]).toSorted()).toEqual([
      [1, 0],
      [1, 2],
    ]);
  });
});

describe('a book that is wrong in many places', () => {
  it('is told by its first hundred mismatches, and every row is looked at', async () => {
    await pool.catalog.putSkus(Array.from({ length: 150 }, (_, index) => ({ sku: `wrong${index}` })));
    await pool.dataSource.query(
      `INSERT INTO supply (supply_key, sku_key, node_key, available) SELECT sku_key, sku_key, node_key, 1 FROM sku_code s, rules_node WHERE s.code LIKE 'wrong%'`,
    );
    const proof = await readsOf(pool.engine()).verifyLedger('wrong');
    expect(proof).toMatchObject({ balanced: false, rowsChecked: 150 });
    expect(proof.mismatches).toHaveLength(100);
  });
});
