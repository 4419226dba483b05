/** Bugs that other systems shipped, each by its ticket, as rules that hold here. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type EngineHooks, StockEngine } from '@onepool/stock-data-access';
import { PARTITION_COUNT, SCHEMA } from '../config.ts';
import { type PoolFixture, createPoolFixture, numbered, unitsOf, SPEC } from '../testing/pool-fixture.ts';
import {
  type SpecReads,
  act,
  backedBy,
  codeOf,
  done,
  hold,
  holdGate,
  move,
  readsOf,
  receipt,
  record,
  sale,
  shift,
  until,
} from './asking.ts';
import { brokenLaws } from './laws.ts';

const SKUS = 2_100;

describe('bugs that others shipped', () => {
  let pool: PoolFixture;
  let one: StockEngine;
  let other: StockEngine;
  let reads: SpecReads;
  let sku: string;
  let used = 0;
  beforeAll(async () => {
    pool = await createPoolFixture(3, SKUS);
    await pool.catalog.putNodes([{ node: 'kiosk', type: 'store' }]);
    await pool.catalog.putChannels([
      { channel: 'outlet', type: 'web', nodes: ['n1'] },
      { channel: 'shipped', type: 'web', nodeTypes: ['warehouse'], nodes: 'all' },
    ]);
    [one, other] = [pool.engine(), pool.engine()];
    reads = readsOf(one);
  });
  afterAll(async () => {
    const broken = await brokenLaws(pool.dataSource);
    await pool.close();
    expect(broken).toEqual([]);
  });
  beforeEach(() => {
    sku = `sku${++used}`;
  });

  const atp = async (channel = 'web') => (await reads.atpOfOne({ channel, skus: [sku] })).atp;
  const rowOf = async (node: string) => (await reads.stock(sku)).rows.find((row) => row.node === node);

  it('magento/magento2#25653: of two buyers of the last unit one is refused', async () => {
    for (const round of numbered(`${sku}-`, 15)) {
      await pool.receive(sku, 'n1', 1);
      const settled = await Promise.all([hold(one, `${round}a`, [[sku, 1]]), hold(other, `${round}b`, [[sku, 1]])]);
      expect(settled.map(codeOf).toSorted()).toEqual([null, 'stock.insufficient'].toSorted());
    }
  });

  it('magento/inventory#3072: a rush never drives the salable quantity below zero', async () => {
    await pool.receive(sku, 'n1', 7);
    const rush = numbered(`${sku}-`, 40).map((id, index) => hold(index % 2 ? one : other, id, [[sku, 2]]));
    const sold = record(one, `${sku}-pos`, [sale(sku, 'n1', 3)]);
    await Promise.all([...rush, sold]);
    expect(await atp()).toBeLessThanOrEqual(1);
    expect(await atp()).toBeGreaterThanOrEqual(0);
    expect((await rowOf('n1'))?.onHand).toBe(4);
  });

  it.each(['magento/inventory#568', 'magento/inventory#2727'])(
    '%s: a node that two channels share sells each unit once',
    async () => {
      await pool.receive(sku, 'n1', 10);
      const settled = await Promise.all(
        numbered(`${sku}-`, 30).map((id, index) =>
          hold(index % 2 ? one : other, id, [[sku, 1]], { channel: index % 3 ? 'web' : 'outlet' }),
        ),
      );
      expect(settled.filter(({ ok }) => ok)).toHaveLength(10);
      expect([await atp('web'), await atp('outlet')]).toEqual([0, 0]);
    },
  );

  it('magento/inventory#2522: the proof of the ledger walks range by range, and finds the one wrong row at the end', async () => {
    const last = `sku${SKUS}`;
    await pool.receive(last, 'n1', 2);
    const corrupt = (units: number) =>
      pool.dataSource.query(
        'UPDATE supply SET available = available + $2 WHERE sku_key = (SELECT sku_key FROM sku_code WHERE code = $1)',
        [last, units],
      );
    await corrupt(1);
    expect(await reads.verifyLedger(undefined)).toMatchObject({
      balanced: false,
      mismatches: [{ sku: last, node: 'n1', state: 'available', book: 3, ledger: 2 }],
    });
    await corrupt(-1);
    expect(await reads.verifyLedger(undefined)).toMatchObject({ balanced: true, mismatches: [] });
  });

  it('vendure#3508: two checkouts at once do not sell the last unit twice', async () => {
    await pool.receive(sku, 'n1', 1);
    const checkout = async (engine: StockEngine, id: string) => {
      const held = await hold(engine, id, [[sku, 1]]);
      return held.ok ? act(engine, id, 'confirm', {}) : held;
    };
    const settled = await Promise.all([checkout(one, `${sku}-a`), checkout(other, `${sku}-b`)]);
    expect(settled.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await rowOf('n1')).toMatchObject({ committed: 1, available: 0 });
  });

  it('vendure#4030: a line over several locations takes from each only what the earlier ones did not give', async () => {
    await pool.receive(sku, 'n1', 5);
    await pool.receive(sku, 'n2', 4);
    await pool.receive(sku, 'n3', 3);
    const view = done(await hold(one, `${sku}-r`, [[sku, 7]]));
    expect(unitsOf(view, 'held')).toBe(7);
    expect(backedBy(view)).toEqual({ n1: 5, n2: 2 });
    expect(await atp()).toBe(5);
  });

  it('vendure#3065: whoever may capture money keeps the units; whoever comes too late hears it before', async () => {
    await pool.receive(sku, 'n1', 1);
    done(await hold(one, `${sku}-late`, [[sku, 1]], { expiresInSeconds: 0 }));
    done(await hold(other, `${sku}-paid`, [[sku, 1]]));
    done(await act(other, `${sku}-paid`, 'confirm', {}));
    expect(codeOf(await act(one, `${sku}-late`, 'confirm', {}))).toBe('reservation.expired');
    const again = await act(one, `${sku}-late`, 'confirm', { commandId: `${sku}-again`, reacquire: true });
    expect(codeOf(again)).toBe('stock.insufficient');
    expect(backedBy(await reads.reservation(SPEC, `${sku}-paid`), 'confirmed')).toEqual({ n1: 1 });
  });

  it('medusa#16569: adjustments at the same moment all count', async () => {
    await pool.receive(sku, 'n1', 100);
    const told = numbered(`${sku}-`, 40).map((id, index) =>
      record(index % 2 ? one : other, id, [{ type: 'adjustment', sku, node: 'n1', quantity: index % 4 ? -3 : 5 }]),
    );
    (await Promise.all(told)).forEach(done);
    expect((await rowOf('n1'))?.onHand).toBe(100 + 10 * 5 - 30 * 3);
  });

  it('medusa#16502: two lines of one item are decided together', async () => {
    await pool.receive(sku, 'n1', 5);
    const both = [
      [sku, 3],
      [sku, 3],
    ] as const;
    expect(await hold(one, `${sku}-r`, both)).toMatchObject({
      rejection: { code: 'stock.insufficient', details: { shortages: [{ line: '2', sku, requested: 3, atp: 2 }] } },
    });
    expect(await atp()).toBe(5);
  });

  it('medusa#14987: what the sum allows is backed at every location, or refused before anything is taken', async () => {
    await pool.receive(sku, 'n1', 2);
    await pool.receive(sku, 'n2', 2);
    expect(codeOf(await hold(one, `${sku}-a`, [[sku, 3]], { nodes: ['n1'] }))).toBe('stock.insufficient');
    expect(await atp()).toBe(4);
    expect(backedBy(done(await hold(one, `${sku}-b`, [[sku, 3]])))).toEqual({ n1: 2, n2: 1 });
  });

  it('medusa#12401: units are given back once, whoever asks how often', async () => {
    await pool.receive(sku, 'n1', 5);
    done(await hold(one, `${sku}-r`, [[sku, 4]]));
    const releases = numbered(`${sku}-release`, 6).map((commandId, index) =>
      act(index % 2 ? one : other, `${sku}-r`, 'release', { commandId }),
    );
    const codes = (await Promise.all(releases)).map(codeOf);
    expect(codes.filter((code) => code === null)).toHaveLength(1);
    expect(new Set(codes)).toEqual(new Set([null, 'reservation.not_held']));
    expect(await rowOf('n1')).toMatchObject({ reserved: 0, available: 5 });
  });

  it('saleor#11069: while one shopper pays nothing is locked, and another buys the same item meanwhile', async () => {
    await pool.receive(sku, 'n1', 5);
    done(await hold(one, `${sku}-slow`, [[sku, 1]]));
    // Between hold and confirm, which is when the payment runs, every row of the item is free to lock.
    await pool.dataSource.transaction(async (manager) => {
      const key = '(SELECT sku_key FROM sku_code WHERE code = $1)';
      for (const table of ['sku_gate', 'supply', 'backing']) {
        const rows: unknown[] = await manager.query(`SELECT FROM ${table} WHERE sku_key = ${key} FOR UPDATE NOWAIT`, [
          sku,
        ]);
        expect(rows).toHaveLength(1);
      }
    });
    done(await hold(other, `${sku}-quick`, [[sku, 4]]));
    done(await act(other, `${sku}-quick`, 'confirm', {}));
    done(await act(one, `${sku}-slow`, 'confirm', {}));
    expect(await rowOf('n1')).toMatchObject({ available: 0, committed: 5 });
  });

  it('saleor#9970: stock that may only be picked up is not promised to orders that are shipped', async () => {
    await pool.receive(sku, 'kiosk', 5);
    expect(await atp('shipped')).toBe(0);
    expect(codeOf(await hold(one, `${sku}-r`, [[sku, 1]], { channel: 'shipped' }))).toBe('stock.insufficient');
    expect(backedBy(done(await hold(one, `${sku}-p`, [[sku, 1]], { nodes: ['kiosk'] })))).toEqual({ kiosk: 1 });
  });

  it('saleor#17123: carts that name their lines in opposite order do not deadlock', async () => {
    const skus = [sku, ...Array.from({ length: 4 }, () => `sku${++used}`)];
    for (const each of skus) await pool.receive(each, 'n1', 40);
    const lines = skus.map((each) => [each, 1] as const);
    const settled = await Promise.all(
      numbered(`${sku}-`, 40).map((id, index) =>
        hold(index % 2 ? one : other, id, index % 2 ? lines : lines.toReversed()),
      ),
    );
    expect(new Set(settled.map(codeOf))).toEqual(new Set([null]));
    expect(await atp()).toBe(0);
  });

  it('odoo#204334: two payments of one order commit its units once', async () => {
    await pool.receive(sku, 'n1', 5);
    done(await hold(one, `${sku}-r`, [[sku, 5]]));
    const paid = await Promise.all([
      act(one, `${sku}-r`, 'confirm', { commandId: `${sku}-pay1` }),
      act(other, `${sku}-r`, 'confirm', { commandId: `${sku}-pay2` }),
    ]);
    expect(paid.map(codeOf).toSorted()).toEqual([null, 'reservation.not_held'].toSorted());
    expect(await rowOf('n1')).toMatchObject({ onHand: 5, available: 0, committed: 5 });
  });

  it('odoo#268942: first movements of a SKU at the same moment make one row', async () => {
    const told = numbered(`${sku}-`, 12).map((id, index) =>
      record(index % 2 ? one : other, id, [receipt(sku, 'n2', 1)]),
    );
    (await Promise.all(told)).forEach(done);
    expect((await reads.stock(sku)).rows).toMatchObject([{ node: 'n2', available: 12 }]);
    const settled = await Promise.all(
      numbered(`${sku}-b`, 20).map((id, index) => hold(index % 2 ? one : other, id, [[sku, 1]])),
    );
    expect(settled.filter(({ ok }) => ok)).toHaveLength(12);
  });

  it('odoo#116803: 10,000 moves are few transactions, and the last ones read no more rows than the first', async () => {
    // In a database of its own: sessions of other tests tell what they have read when they have been idle for a while.
    const own = await createPoolFixture(3, 2_110);
    const firstOf = async (sql: string, parameters: unknown[] = []): Promise<number> => {
      const rows: { value: string }[] = await own.dataSource.query(sql, parameters);
      return Number(rows[0]?.value);
    };
    /** Rows that all ended sessions have read. */
    const rowsReadByNow = (): Promise<number> =>
      firstOf('SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) AS value FROM pg_stat_user_tables');
    const sessionsOf = (name: string): Promise<number> =>
      firstOf(`SELECT count(*) AS value FROM pg_stat_activity WHERE application_name LIKE $1 || '-%'`, [name]);
    /** What an engine does, whose sessions have told what they read once this is over. */
    const by = async (name: string, hooks: EngineHooks, work: (engine: StockEngine) => Promise<unknown>) => {
      const one = new StockEngine({ url: own.url, schema: SCHEMA, partitionCount: PARTITION_COUNT, name, hooks });
      await work(one);
      await one.close();
      await until('its sessions have told what they read', async () => (await sessionsOf(name)) === 0);
    };
    const item = 'sku1';
    const rowsRead: number[] = [];
    for (const part of [0, 1, 2, 3, 4]) {
      // Half of them are of one item with promises on it, the others each of an item of its own.
      const moves = Array.from({ length: 2_000 }, (_, index) =>
        receipt(index % 2 ? item : `sku${100 + index}`, `n${1 + (part % 3)}`, 1),
      );
      const before = await rowsReadByNow();
      const batches: number[] = [];
      let attempts = 1;
      const hooks = {
        onBatch: (commands: number) => void batches.push(commands),
        onRetry: () => void attempts++,
      };
      await by(`moves-${part}`, hooks, async (mover) => done(await record(mover, `${item}-${part}`, moves)));
      // On a busy machine a gate may be held for long, and then the command is read for once more.
      rowsRead.push(((await rowsReadByNow()) - before) / attempts);
      expect(batches).toEqual([1]);
      await by(`holds-${part}`, {}, async (holder) => done(await hold(holder, `${item}-r${part}`, [[item, 500]])));
    }
    const { rows } = await readsOf(own.engine()).stock(item);
    expect(rows.reduce((units, { onHand }) => units + onHand, 0)).toBe(5_000);
    expect(Math.max(...rowsRead)).toBeLessThan(2 * (rowsRead[0] ?? 0));
    await own.close();
  });

  it('woocommerce#67354: a shopper is not blocked by her own hold', async () => {
    await pool.receive(sku, 'n1', 1);
    const first = done(await hold(one, `${sku}-cart`, [[sku, 1]]));
    expect(done(await hold(other, `${sku}-cart`, [[sku, 1]]))).toEqual(first);
    expect(codeOf(await act(other, `${sku}-cart`, 'confirm', {}))).toBe(null);
  });

  it('hotwax/bopis#251: a pickup is never moved to a store where nobody will fetch it', async () => {
    await pool.receive(sku, 'n1', 1);
    done(await hold(one, `${sku}-pickup`, [[sku, 1]], { nodes: ['n1'] }));
    await pool.receive(sku, 'n2', 5);
    expect(codeOf(await move(one, `${sku}-pickup`, 1, [shift(sku, 'n1', 'n2', 1)]))).toBe('stock.insufficient');
    done(await record(one, `${sku}-pos`, [sale(sku, 'n1', 1)]));
    const [key = 0] = await one.codes.keysOf([sku]);
    await one.tend([key ?? 0], true);
    expect(backedBy(await reads.reservation(SPEC, `${sku}-pickup`))).toEqual({ n1: 1 });
  });

  it('hotwax/bopis#863: a rejection is done or fails within its deadline, and repeating it does it once', async () => {
    await pool.receive(sku, 'n1', 2);
    done(await hold(one, `${sku}-r`, [[sku, 2]]));
    done(await act(one, `${sku}-r`, 'confirm', {}));
    await pool.receive(sku, 'n2', 5);
    const impatient = pool.engine({ deadlineMs: 300 });
    const gate = await holdGate(pool, sku);
    const reject = (engine: StockEngine) => move(engine, `${sku}-r`, 2, [shift(sku, 'n1', 'n2', 2)]);
    await expect(reject(impatient)).rejects.toMatchObject({ name: 'EngineError' });
    await gate.release();
    const rejected = done(await reject(one));
    const after = await reads.reservation(SPEC, `${sku}-r`);
    expect(backedBy(after, 'confirmed')).toEqual({ n2: 2 });
    expect(done(await reject(one))).toEqual(rejected);
    expect(await reads.reservation(SPEC, `${sku}-r`)).toEqual(after);
    expect(await rowOf('n2')).toMatchObject({ available: 3, committed: 2 });
  });

  it('hotwax, capacity: a limit of N admits N, not N − 1 (thresholds; capacities of nodes come with brokering)', async () => {
    await pool.receive(sku, 'n1', 10);
    await pool.catalog.putThresholds([{ scope: 'node', node: 'n1', sku, quantity: 4 }]);
    expect(await atp()).toBe(6);
    expect(codeOf(await hold(one, `${sku}-7`, [[sku, 7]]))).toBe('stock.insufficient');
    expect(codeOf(await hold(one, `${sku}-6`, [[sku, 6]]))).toBe(null);
  });

  it('commercetools: released stock is promised at the moment of expiry, without any sweep', async () => {
    await pool.receive(sku, 'n1', 3);
    done(await hold(one, `${sku}-cart`, [[sku, 3]], { expiresInSeconds: 0 }));
    expect(await atp()).toBe(3);
    done(await hold(other, `${sku}-next`, [[sku, 3]]));
    expect(unitsOf(await reads.reservation(SPEC, `${sku}-cart`), 'expired')).toBe(3);
  });
});
