import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StockReads } from '@onepool/stock-data-access';
import { CLIENT, type PoolFixture, createPoolFixture, numbered } from './pool-fixture.ts';

describe('many buyers, few units', () => {
  let pool: PoolFixture;
  beforeAll(async () => {
    pool = await createPoolFixture(10, 3);
    for (const node of numbered('n', 10)) await pool.receive('sku1', node, 100);
  });
  afterAll(() => pool.close());

  it('grants exactly the units there are, through two replicas at once', async () => {
    const replicas = [pool.engine(), pool.engine()] as const;
    const settled = await Promise.all(
      numbered('buyer', 5_000).map((id, index) =>
        (index % 2 === 0 ? replicas[0] : replicas[1]).hold(CLIENT, {
          id,
          channel: 'web',
          lines: [{ sku: 'sku1', quantity: 1 }],
        }),
      ),
    );
    const refusals = settled.filter((answer) => !answer.ok);
    expect(settled.length - refusals.length).toBe(1_000);
    expect(new Set(refusals.map((answer) => !answer.ok && answer.code))).toEqual(new Set(['stock.insufficient']));
    const reads = new StockReads(replicas[0]);
    expect(await reads.atpOfOne({ channel: 'web', skus: ['sku1'] })).toMatchObject({ atp: 0 });
    expect(await reads.verifyLedger(undefined)).toMatchObject({ balanced: true, rowsChecked: 10 });
  });
});
