/** Housekeeping leaves room for callers, and no part of it waits for another's luck. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Housekeeping, type StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, createPoolFixture, numbered, SPEC } from '../testing/pool-fixture.ts';
import { backedBy, done, hold, readsOf, receipt, record, sale, untilWaiting } from './asking.ts';

const SKUS = 30;
let pool: PoolFixture;
let engine: StockEngine;
let heals: number;
let healsInFlightMax: number;
/** Makes heals fail, of which there are many. */
let failure: Error | null;
beforeEach(async () => {
  pool = await createPoolFixture(2, SKUS);
  engine = pool.engine();
  [heals, healsInFlightMax, failure] = [0, 0, null];
  let inFlight = 0;
  const tend = engine.tend.bind(engine);
  jest.spyOn(engine, 'tend').mockImplementation(async (skus, heal) => {
    if (!heal) return tend(skus, heal);
    heals += 1;
    healsInFlightMax = Math.max(healsInFlightMax, ++inFlight);
    try {
      if (failure) throw failure;
      return await tend(skus, heal);
    } finally {
      inFlight -= 1;
    }
  });
});
afterEach(() => pool.close());

const all = numbered('sku', SKUS);
const everywhere = (node: string, quantity: number) => all.map((sku) => receipt(sku, node, quantity));
const heldOf = async (id: string) => backedBy(await readsOf(engine).reservation(SPEC, id));

describe('housekeeping', () => {
  it('heals a few SKUs at once, and all of them', async () => {
    done(await record(engine, 'in', everywhere('n1', 2)));
    for (const sku of all) done(await hold(engine, `r-${sku}`, [[sku, 2]]));
    done(await record(engine, 'more', everywhere('n2', 2)));
    done(
      await record(
        engine,
        'pos',
        all.map((sku) => sale(sku, 'n1', 2)),
      ),
    );
    await new Housekeeping(engine).once();
    expect(heals).toBe(SKUS);
    expect(healsInFlightMax).toBe(8);
    for (const sku of all) expect(await heldOf(`r-${sku}`)).toEqual({ n2: 2 });
  });

  it('sweeps what is overdue even when healing fails, and says so', async () => {
    done(await record(engine, 'in', [receipt('sku1', 'n1', 2), receipt('sku2', 'n1', 2)]));
    done(await hold(engine, 'r', [['sku1', 2]]));
    done(await hold(engine, 'cart', [['sku2', 2]], { expiresInSeconds: 0 }));
    done(await record(engine, 'more', [receipt('sku1', 'n2', 2)]));
    done(await record(engine, 'pos', [sale('sku1', 'n1', 2)]));
    failure = new Error('no connection');
    await expect(new Housekeeping(engine).once()).rejects.toThrow('no connection');
    expect(heals).toBe(1);
    expect((await readsOf(engine).stock('sku2')).rows).toMatchObject([{ available: 2, reserved: 0 }]);
  });

  it('waits for a batch that ends one task and makes another, and the batch not for it', async () => {
    done(await record(engine, 'in', [receipt('sku1', 'n1', 2), receipt('sku2', 'n1', 2)]));
    const [low = 0, high = 0] = (await engine.codes.keysOf(['sku1', 'sku2'])).map((key) => key ?? 0);
    await pool.dataSource.query(
      `INSERT INTO stock_exception (code, subject, sku_key, node_key, supply_key, quantity, refs, opened_at)
       SELECT 'promise.short', 'stock/' || sku_key || '/' || node_key, sku_key, node_key, supply_key, 1, '{}', clock_timestamp()
         FROM stock WHERE sku_key = ANY($1::int[])`,
      [[low, high]],
    );
    await pool.dataSource.query(`INSERT INTO sku_task (sku_key, due_at) VALUES ($1, 'infinity')`, [high]);
    const batch = pool.dataSource.createQueryRunner();
    await batch.startTransaction();
    await batch.query('SELECT FROM sku_gate WHERE sku_key = ANY($1) ORDER BY sku_key FOR NO KEY UPDATE', [[low, high]]);
    await batch.query('DELETE FROM sku_task WHERE sku_key = $1', [high]);
    const look = new Housekeeping(engine).once();
    await untilWaiting(pool.dataSource, 1);
    await batch.query(`INSERT INTO sku_task (sku_key, due_at) VALUES ($1, 'infinity') ON CONFLICT DO NOTHING`, [low]);
    await batch.commitTransaction();
    await batch.release();
    await look;
    expect(await pool.deadlocks()).toBe(0);
  });

  it('lets a SKU rest whose promises it cannot move, however often it changes, and sees new units within a second', async () => {
    let nowMs = 0;
    const keeper = new Housekeeping(engine, { monotonic: () => nowMs });
    done(await record(engine, 'in', [receipt('sku1', 'n1', 2)]));
    // A pickup: units elsewhere do not help it, but look as if they might.
    done(await hold(engine, 'pickup', [['sku1', 2]], { nodes: ['n1'] }));
    done(await record(engine, 'pos', [sale('sku1', 'n1', 2)]));
    for (const id of numbered('change', 10)) {
      done(await record(engine, id, [receipt('sku1', 'n2', 1)]));
      await keeper.once();
    }
    expect(heals).toBe(2);
    done(await hold(engine, 'r', [['sku1', 10]]));
    done(await record(engine, 'more', [receipt('sku1', 'n2', 1)]));
    done(await record(engine, 'pos2', [sale('sku1', 'n2', 11)]));
    done(await record(engine, 'again', [receipt('sku1', 'n2', 20)]));
    nowMs += 999;
    await keeper.once();
    expect(heals).toBe(2);
    nowMs += 1;
    done(await record(engine, 'last', [receipt('sku1', 'n2', 1)]));
    await keeper.once();
    expect(heals).toBe(3);
  });
});
