/** What is forgotten, what is kept, and by whom. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Retention, type StockEngine } from '@onepool/stock-data-access';
import { SCHEMA } from '../config.ts';
import { type PoolFixture, createPoolFixture } from '../testing/pool-fixture.ts';
import { act, codeOf, done, hold, receipt, record } from './asking.ts';

let pool: PoolFixture;
let engine: StockEngine;
beforeEach(async () => {
  pool = await createPoolFixture(1, 2);
  engine = pool.engine();
});
afterEach(() => pool.close());

const retention = (of = engine) => new Retention({ pool: of.auditPool, schema: SCHEMA, commandDays: 90 });
const age = (table: string, days: number) =>
  pool.dataSource.query(`UPDATE ${table} SET recorded_at = recorded_at - make_interval(days => $1)`, [days]);
describe('retention', () => {
  it('forgets effects of commands after their days; until then a repetition is answered with the first effect', async () => {
    done(await record(engine, 'old', [receipt('sku1', 'n1', 5)]));
    await age('command', 89);
    await retention().once();
    expect(await record(engine, 'old', [receipt('sku1', 'n1', 5)])).toMatchObject({ replayed: true });
    await age('command', 2);
    done(await record(engine, 'young', [receipt('sku1', 'n1', 1)]));
    expect(await retention().once()).toBe(1);
    expect(await record(engine, 'young', [receipt('sku1', 'n1', 1)])).toMatchObject({ replayed: true });
    expect(await record(engine, 'old', [receipt('sku1', 'n1', 5)])).toMatchObject({ replayed: false });
  });

  it('keeps reservations, and so the keys of holds', async () => {
    await pool.receive('sku1', 'n1', 5);
    const first = done(await hold(engine, 'r', [['sku1', 2]]));
    expect(codeOf(await act(engine, 'r', 'confirm', {}))).toBe(null);
    await age('command', 400);
    await retention().once();
    expect(await hold(engine, 'r', [['sku1', 2]])).toMatchObject({ replayed: true, value: { id: first.id } });
  });

  it('is done by one replica at a time, and by another when that one has gone', async () => {
    const client = await pool.engine().auditPool.connect();
    await client.query(`SELECT pg_advisory_lock(hashtextextended('${SCHEMA}.retention', 0))`);
    expect(await retention().once()).toBe(null);
    client.release(true);
    for (let left: unknown = null; left === null; left = await retention().once());
    expect(await retention().once()).toBe(0);
  });

  it('runs by itself, after a while', async () => {
    await pool.receive('sku1', 'n1', 5);
    await age('command', 91);
    const forgotten = await new Promise((resolve, reject) => {
      const keeper = new Retention({
        pool: engine.auditPool,
        schema: SCHEMA,
        commandDays: 90,
        firstAfterMs: 10,
        random: () => 0,
        onDone: (done) => void keeper.stop().then(() => resolve(done), reject),
        onError: reject,
      });
      keeper.start();
    });
    expect(forgotten).toBe(1);
  });

  it('refuses to forget effects of the last week', () => {
    const forget = () => new Retention({ pool: engine.auditPool, schema: SCHEMA, commandDays: 6 });
    expect(forget).toThrow('at least 7 days');
  });
});
