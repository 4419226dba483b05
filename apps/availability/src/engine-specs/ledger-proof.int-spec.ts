/** The proof of the ledger has to end however long the ledger has become. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StockReads } from '@onepool/stock-data-access';
import { ACCOUNTS } from '@onepool/stock-domain';
import { type PoolFixture, createPoolFixture } from '../testing/pool-fixture.ts';

const SKUS = 64;
const ENTRIES = 256_000;

let pool: PoolFixture;
beforeAll(async () => {
  pool = await createPoolFixture(1, SKUS);
});
afterAll(() => pool.close());

let written = 0;
/** Entries of one unit each, spread over `skus` SKUs, and the balances that they make. */
async function write(skus: number): Promise<void> {
  await pool.dataSource.query(
    `INSERT INTO ledger (sku_key, sku_version, ordinal, node_key, from_state, to_state, quantity, reason, source, occurred_at, recorded_at)
     SELECT s.sku_key, $5::int + i, 0, n.node_key, $3::smallint, $4::smallint, 1, 'receipt', 'wms', now(), now()
       FROM (SELECT sku_key FROM sku ORDER BY sku_key DESC LIMIT $1) s, node n, generate_series(1, $2::int / $1::int) i`,
    [skus, ENTRIES, ACCOUNTS.indexOf('external'), ACCOUNTS.indexOf('available'), (written += ENTRIES)],
  );
  await pool.dataSource.query(
    `INSERT INTO stock (sku_key, node_key, available) SELECT sku_key, node_key, count(*) FROM ledger GROUP BY 1, 2
     ON CONFLICT (sku_key, node_key) DO UPDATE SET available = excluded.available`,
  );
}

const prove = (auditTimeoutMs: number) => new StockReads(pool.engine({ auditTimeoutMs })).verifyLedger(undefined);

/** How long the proof takes in one statement; the best of three, since others use the machine too. */
async function proofMs(): Promise<number> {
  let best = Infinity;
  for (let time = 0; time < 3; time++) {
    const started = performance.now();
    expect(await prove(60_000)).toMatchObject({ balanced: true });
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

describe('a ledger too long for one statement', () => {
  it('is proved by halves, and their halves, until each is short enough', async () => {
    await write(SKUS);
    const timeoutMs = Math.ceil((await proofMs()) / 4);
    expect(await prove(timeoutMs)).toEqual({ balanced: true, rowsChecked: SKUS, mismatches: [] });
  });

  it('of one SKU is told as such, with the SKU, and not as a proof that failed', async () => {
    await write(1);
    const timeoutMs = Math.ceil((await proofMs()) / 6);
    const [last]: { sku: string }[] = await pool.dataSource.query(
      'SELECT code AS sku FROM sku ORDER BY sku_key DESC LIMIT 1',
    );
    await expect(prove(timeoutMs)).rejects.toMatchObject({ code: 'ledger.too_long', details: last });
  });
});

describe('a book that is wrong in many places', () => {
  it('is told by its first hundred mismatches, and every row is looked at', async () => {
    await pool.catalog.putSkus(Array.from({ length: 150 }, (_, index) => ({ sku: `wrong${index}` })));
    await pool.dataSource.query(
      `INSERT INTO stock (sku_key, node_key, available) SELECT sku_key, node_key, 1 FROM sku, node WHERE sku.code LIKE 'wrong%'`,
    );
    const proof = await new StockReads(pool.engine()).verifyLedger('wrong');
    expect(proof).toMatchObject({ balanced: false, rowsChecked: 150 });
    expect(proof.mismatches).toHaveLength(100);
  });
});
