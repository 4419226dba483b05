import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type PoolFixture, createPoolFixture } from '../testing/pool-fixture.ts';
import { act, done, hold } from './asking.ts';
import { brokenLaws } from './laws.ts';

/** Proof that the laws can be broken at all: a check that never fails says nothing. */
describe('the laws of the pool', () => {
  let pool: PoolFixture;
  beforeAll(async () => {
    pool = await createPoolFixture(1, 1);
    const engine = pool.engine();
    await pool.receive('sku1', 'n1', 10);
    done(await hold(engine, 'r1', [['sku1', 2]]));
    done(await act(engine, 'r1', 'confirm', {}));
  });
  afterAll(() => pool.close());

  it.each([
    ['a unit promised twice', 'UPDATE stock SET available = available + 1, committed = committed - 1', /open backings/],
    ['a unit from nowhere', 'UPDATE stock SET available = available + 1', /came in/],
    ['a lost unit of a line', 'UPDATE backing SET confirmed = 1', /add up to what was granted/],
    ['a lost fact', `DELETE FROM outbox WHERE data->>'toVersion' = '2'`, /chain without a gap/],
    ['a version that nobody wrote', 'UPDATE sku_gate SET version = version + 1', /in its ledger/],
    [
      'a fact told twice',
      `INSERT INTO outbox (partition, key, subject, event_id, type, source, time, data)
       SELECT partition, key, subject, event_id, type, source, time, data FROM outbox`,
      /told twice/,
    ],
    [
      'units moved before they were there',
      `INSERT INTO ledger SELECT sku_key, 0, 0, node_key, 3, 1, 1, 'x', 'x', 'x', now(), now() FROM stock`,
      /did not have at that moment/,
    ],
  ])('notice %s', async (_, fault, notice) => {
    expect(await brokenLaws(pool.dataSource)).toEqual([]);
    const runner = pool.dataSource.createQueryRunner();
    await runner.startTransaction();
    try {
      await runner.query(fault);
      const seen = { query: (sql: string, values: unknown[]) => runner.query(sql, values) };
      expect((await brokenLaws(seen)).join('\n')).toMatch(notice);
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  });
});
