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

const retention = (of = engine) =>
  new Retention({ pool: of.auditPool, schema: SCHEMA, outboxDays: 7, commandDays: 90 });
const count = async (table: string): Promise<number> => {
  const rows: { count: number }[] = await pool.dataSource.query(`SELECT count(*)::int AS count FROM ${table}`);
  return rows[0]?.count ?? Number.NaN;
};
const age = (table: string, days: number) =>
  pool.dataSource.query(`UPDATE ${table} SET recorded_at = recorded_at - make_interval(days => $1)`, [days]);
/** Makes the days of rows that are older than any, as if they had been made ahead of their time. */
const makeDays = () => pool.dataSource.query('SELECT make_partitions(14, 1000)');
/** As the relay does when everything was published. */
const publishAll = () =>
  pool.dataSource.query(
    `INSERT INTO relay_cursor (partition, low) SELECT partition, max(id) FROM outbox GROUP BY partition
     ON CONFLICT (partition) DO UPDATE SET low = excluded.low`,
  );

describe('retention', () => {
  it('forgets days of facts after their time, and never one with a fact that is unpublished', async () => {
    await pool.receive('sku1', 'n1', 5);
    await publishAll();
    await pool.receive('sku2', 'n1', 5);
    await age('outbox', 6);
    await makeDays();
    expect(await retention().once()).toEqual({ days: [], commands: 0 });
    await age('outbox', 2);
    await makeDays();
    expect(await retention().once()).toEqual({ days: [], commands: 0 });
    await publishAll();
    expect(await retention().once()).toEqual({ days: [expect.stringMatching(/^outbox_p/)], commands: 0 });
    expect(await count('outbox')).toBe(0);
  });

  it('forgets effects of commands after their days; until then a repetition is answered with the first effect', async () => {
    done(await record(engine, 'old', [receipt('sku1', 'n1', 5)]));
    await age('command', 89);
    await retention().once();
    expect(await record(engine, 'old', [receipt('sku1', 'n1', 5)])).toMatchObject({ replayed: true });
    await age('command', 2);
    done(await record(engine, 'young', [receipt('sku1', 'n1', 1)]));
    expect(await retention().once()).toMatchObject({ commands: 1 });
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
    expect(await retention().once()).toEqual({ days: [], commands: 0 });
  });

  it('runs by itself, after a while', async () => {
    await pool.receive('sku1', 'n1', 5);
    await age('command', 91);
    const forgotten = await new Promise((resolve, reject) => {
      const keeper = new Retention({
        pool: engine.auditPool,
        schema: SCHEMA,
        outboxDays: 7,
        commandDays: 90,
        firstAfterMs: 10,
        random: () => 0,
        onDone: (done) => void keeper.stop().then(() => resolve(done), reject),
        onError: reject,
      });
      keeper.start();
    });
    expect(forgotten).toEqual({ days: [], commands: 1 });
  });

  it.each([
    ['facts', { outboxDays: 6, commandDays: 90 }],
    ['commands', { outboxDays: 7, commandDays: 6 }],
  ])('refuses to forget %s of the last week', (_, days) => {
    expect(() => new Retention({ pool: engine.auditPool, schema: SCHEMA, ...days })).toThrow('at least 7 days');
  });
});
