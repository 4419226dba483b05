/** What is forgotten, what is kept, and by whom. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Retention, type StockEngine } from '@onepool/stock-data-access';
import { SCHEMA } from '../config.ts';
import { bytes, feedsOn, upload } from '../feed-specs/feeding.ts';
import { CLIENT, type PoolFixture, createPoolFixture } from '../testing/pool-fixture.ts';
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

  it('fails uploads that nobody has gone on with for a day, and drops their stage', async () => {
    const feeds = feedsOn(pool);
    const cut = async (id: string): Promise<void> => {
      async function* body(): AsyncGenerator<Uint8Array> {
        yield* bytes('sku,node,quantity\nsku1,n1,5\n');
        throw new Error('cut');
      }
      await expect(upload(feeds, body(), { id })).rejects.toThrow('cut');
    };
    const state = async (id: string) => done(await feeds.reads.feed(CLIENT, id));
    await cut('old');
    await cut('young');
    const aged = (hours: number) =>
      pool.dataSource.query(
        `UPDATE feed SET touched_at = clock_timestamp() - make_interval(hours => $1) WHERE id = 'old'`,
        [hours],
      );
    await aged(23);
    await retention().once();
    expect(await state('old')).toMatchObject({ state: 'receiving' });
    await aged(25);
    await retention().once();
    expect(await state('old')).toMatchObject({ state: 'failed', failure: 'the upload was cut, and not sent again' });
    expect(await state('young')).toMatchObject({ state: 'receiving' });
    const stages: unknown[] = await pool.dataSource.query(
      `SELECT FROM pg_class WHERE relname LIKE 'feed\\_stage\\_%' AND relkind = 'r'`,
    );
    expect(stages).toHaveLength(1);
    await feeds.close();
  });

  it('forgets feeds that ended with their refusals, and closed exceptions; records of a source are kept for good', async () => {
    const feeds = feedsOn(pool);
    const rows = 'sku,node,quantity,recordId\nsku1,n1,5,r1\nnobody,n1,5,r2\n';
    const delta = { mode: 'delta', completeness: 'partial', capturedAt: new Date().toISOString() } as const;
    for (const id of ['old', 'young']) {
      done(await upload(feeds, rows, { ...delta, id }));
      await feeds.worker.once();
    }
    await pool.dataSource.query(
      `INSERT INTO stock_exception (code, subject, sku_key, node_key, quantity, opened_at, closed_at)
       SELECT 'promise.short', concat('stock/1/', key), 1, key, 0, '2026-01-01', CASE key WHEN 3 THEN NULL ELSE clock_timestamp() - make_interval(days => 89 * key) END
         FROM generate_series(1, 3) key`,
    );
    await pool.dataSource.query(`UPDATE feed SET finished_at = finished_at - interval '91 days' WHERE id = 'old'`);
    await retention().once();
    expect(codeOf(await feeds.reads.feed(CLIENT, 'old'))).toBe('feed.unknown');
    expect(done(await feeds.reads.feed(CLIENT, 'young'))).toMatchObject({ state: 'done', rows: { refused: 2 } });
    const left = async (sql: string) =>
      (await pool.dataSource.query<{ left: number }[]>(`SELECT ${sql} AS left`))[0]?.left;
    expect(await left('(SELECT count(*)::int FROM feed_refusal)')).toBe(2);
    expect(await left('(SELECT array_agg(node_key ORDER BY node_key) FROM stock_exception)')).toEqual([1, 3]);
    done(await upload(feeds, rows, { ...delta, id: 'old' }));
    await feeds.worker.once();
    expect(done(await feeds.reads.feed(CLIENT, 'old'))).toMatchObject({ rows: { applied: 0, refused: 2 } });
    await feeds.close();
  });

  it('forgets inspections that have long been closed, and never one with units to be judged', async () => {
    await pool.dataSource.query(
      `INSERT INTO inspection (sku_key, node_key, origin, actor, command_id, reason, quantity, open, approved, opened_at, due_at, closed_at)
       SELECT 1, key, 2, 'spec', key::text, 'look', 1, (key = 3)::int, (key <> 3)::int, '2020-01-01', '2020-01-02',
              CASE key WHEN 3 THEN NULL ELSE clock_timestamp() - make_interval(days => 89 * key) END
         FROM generate_series(1, 3) key`,
    );
    await retention().once();
    const left: unknown[] = await pool.dataSource.query('SELECT node_key FROM inspection ORDER BY node_key');
    expect(left).toEqual([{ node_key: 1 }, { node_key: 3 }]);
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
