import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SKU_CHANGED, type SkuChanged } from '@onepool/contracts';
import { Housekeeping, InboundReads, type StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, SPEC, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import { act, codeOf, done, hold, receipt, record, sale, until } from './asking.ts';
import { feed, feedsOn } from '../feed-specs/feeding.ts';
import { brokenLaws } from './laws.ts';
import { allow, announce, atpOf, backingsOf, expected, giveOut, stockOf, wait } from './to-come.ts';

describe('units that are to come', () => {
  let pool: PoolFixture;
  let one: StockEngine;
  let other: StockEngine;
  beforeEach(async () => {
    pool = await createPoolFixture(2, 2);
    [one, other] = [pool.engine(), pool.engine()];
  });
  afterEach(async () => {
    expect(await brokenLaws(pool.dataSource)).toEqual([]);
    await pool.close();
  });

  const stock = (sku?: string) => stockOf(one, sku);
  const atp = () => atpOf(one);
  const backings = (id: string) => backingsOf(one, id);
  const rest = () => giveOut(other);

  it('may be promised of an announced receipt to lines that may wait, and to no others', async () => {
    await announce(one, 'po', expected('1', 10));
    expect(await atp()).toMatchObject({ atp: 0, atpWithIncoming: 10 });
    expect(codeOf(await hold(other, 'shopper', [['sku1', 1]]))).toBe('stock.insufficient');
    const held = done(await wait(other, 'preorder', 4));
    expect(held.lines[0]?.backings).toMatchObject([{ node: 'n1', kind: 'incoming', held: 4 }]);
    expect(done(await wait(one, 'preorder', 4))).toEqual(held);
    expect(await atp()).toMatchObject({ atp: 0, atpWithIncoming: 6 });
    expect(codeOf(await wait(one, 'greedy', 7))).toBe('stock.insufficient');
  });

  it('are announced anew without being counted twice, until the line is closed', async () => {
    const reads = new InboundReads(one);
    const line = async () => done(await reads.inbound(SPEC.actor, 'po')).lines[0];
    for (const engine of [one, other, one]) done(await announce(engine, 'po', expected('1', 10)));
    done(await wait(one, 'preorder', 4));
    done(await announce(other, 'po', expected('1', 7, { dueAt: '2099-01-01T00:00:00Z' })));
    expect(await line()).toMatchObject({ quantity: 7, promised: 4, dueAt: '2099-01-01T00:00:00.000Z', closed: false });
    expect(await atp()).toMatchObject({ atpWithIncoming: 3 });
    done(await announce(one, 'po', expected('1', 7, { dueAt: '2099-01-02T00:00:00Z' })));
    const [told] = await pool.dataSource.query<{ data: SkuChanged }[]>(
      `SELECT data FROM outbox WHERE subject = '${SKU_CHANGED}' ORDER BY id DESC LIMIT 1`,
    );
    expect(told?.data).toMatchObject({ rows: [], causes: [{ kind: 'inbound_line' }] });
    expect(codeOf(await announce(one, 'po', expected('1', 7, { node: 'n2' })))).toBe('inbound.line_differs');
    for (const engine of [one, other]) done(await announce(engine, 'po', expected('1', 7, { closed: true })));
    expect(await line()).toMatchObject({ lost: 7, closed: true });
    expect(codeOf(await announce(one, 'po', expected('1', 7)))).toBe('inbound.line_closed');
    expect(await atp()).not.toHaveProperty('atpWithIncoming');
  });

  it('of a line that is late are promised to nobody', async () => {
    done(await announce(one, 'po', expected('1', 10, { dueAt: '2020-01-01T00:00:00Z' })));
    expect(codeOf(await wait(one, 'preorder', 1))).toBe('stock.insufficient');
  });

  it('leave no row behind when their line is closed, and are not read again', async () => {
    done(await announce(one, 'po', expected('1', 10), expected('2', 5)));
    done(await announce(one, 'po', expected('1', 10, { closed: true })));
    const rows: unknown[] = await pool.dataSource.query('SELECT detail_key FROM supply WHERE kind = 1');
    expect(rows).toHaveLength(1);
    expect(await atp()).toMatchObject({ atpWithIncoming: 5 });
    done(await wait(other, 'preorder', 5));
  });

  it('have been promised, and are remembered so once their line is gone: by who goes on and by who comes back', async () => {
    done(await announce(one, 'po', expected('1', 5)));
    done(await wait(one, 'goes-on', 2));
    done(await wait(other, 'comes-back', 1, { expiresInSeconds: 0.001 }));
    const [sku = 0] = await one.codes.keysOf(['sku1']);
    await one.tend([sku ?? 0], false);
    done(await one.receive(SPEC, { id: 'grn', source: 'wms', inbound: 'po', lines: [{ line: '1', quantity: 5 }] }));
    expect(await pool.dataSource.query('SELECT FROM supply WHERE kind = 1')).toEqual([]);
    done(await act(other, 'goes-on', 'extend', { expiresInSeconds: 7_200 }));
    done(await act(other, 'comes-back', 'confirm', { reacquire: true }));
    expect(await backings('goes-on')).toEqual([['stock', 'n1', 2]]);
    expect(await backings('comes-back')).toEqual([['stock', 'n1', 1]]);
  });

  it('may be promised up to the cap of an allowance, whoever asks', async () => {
    await allow(pool, 10);
    const asked = numbered('buyer', 32).map((id, index) => wait(index % 2 ? one : other, id, 1));
    const granted = (await Promise.all(asked)).filter(({ ok }) => ok).length;
    expect(granted).toBe(10);
    expect(await atp()).not.toHaveProperty('atpWithIncoming');
  });

  it('are served in the order of priority and age, before any shopper', async () => {
    await allow(pool, 10);
    done(await wait(one, 'early', 2));
    done(await wait(other, 'late', 2));
    done(await wait(one, 'important', 2, { priority: 5 }));
    await pool.receive('sku1', 'n1', 3);
    expect(await backings('important')).toEqual([['stock', 'n1', 2]]);
    expect(await backings('early')).toEqual([
      ['allowance', null, 1],
      ['stock', 'n1', 1],
    ]);
    expect(codeOf(await hold(other, 'shopper', [['sku1', 1]]))).toBe('stock.insufficient');
    await pool.receive('sku1', 'n2', 5);
    expect(await backings('late')).toEqual([['stock', 'n2', 2]]);
    expect(await stock()).toMatchObject([
      { node: 'n1', available: 0, reserved: 3 },
      { node: 'n2', available: 2, reserved: 3 },
    ]);
  });

  it('go to backorders first, however many shoppers race for them', async () => {
    await allow(pool, 20);
    for (const id of numbered('backorder', 10)) done(await wait(one, id, 2));
    const shoppers = numbered('shopper', 32).map((id, index) => hold(index % 2 ? one : other, id, [['sku1', 1]]));
    const received = record(other, 'arrival', [receipt('sku1', 'n1', 25)]);
    await Promise.all([...shoppers, received]);
    for (const id of numbered('backorder', 10)) expect(await backings(id)).toEqual([['stock', 'n1', 2]]);
    const [row] = await stock();
    expect(row).toMatchObject({ onHand: 25, shortfall: 0 });
    expect((row?.reserved ?? 0) + (row?.available ?? 0)).toBe(25);
  });

  it.each([
    ['is released', (engine: StockEngine) => act(engine, 'holder', 'release', {})],
    ['expires', tendUntilServed],
    [
      'is cancelled',
      async (engine: StockEngine) => (await act(engine, 'holder', 'confirm', {}), act(engine, 'holder', 'cancel', {})),
    ],
    [
      'is amended away',
      (engine: StockEngine) =>
        act(engine, 'holder', 'amend', { expectedVersion: 1, lines: [{ id: '1', sku: 'sku1', quantity: 0 }] }),
    ],
  ] as const)('serve who waits when a promise on stock %s', async (how, free) => {
    await pool.receive('sku1', 'n1', 2);
    done(await hold(one, 'holder', [['sku1', 2]], { expiresInSeconds: how === 'expires' ? 1 : 600 }));
    await allow(pool, 5);
    done(await wait(one, 'backorder', 3));
    await free(other);
    expect(await backings('backorder')).toEqual([
      ['allowance', null, 1],
      ['stock', 'n1', 2],
    ]);
  });
  async function tendUntilServed(engine: StockEngine): Promise<void> {
    const [key] = await engine.codes.keysOf(['sku1']);
    await until('the hold has expired', async () => {
      await engine.tend([key ?? 0], false);
      return (await backings('backorder')).some(([kind]) => kind === 'stock');
    });
  }

  it('serve who waits once they are found to be sound', async () => {
    await pool.receive('sku1', 'n1', 3);
    const looked = { type: 'state', sku: 'sku1', node: 'n1', quantity: 3 } as const;
    done(await record(one, 'look', [{ ...looked, from: 'available', to: 'quality_control' }]));
    await allow(pool, 5);
    done(await wait(one, 'backorder', 2));
    done(await record(other, 'sound', [{ ...looked, from: 'quality_control', to: 'available' }]));
    expect(await backings('backorder')).toEqual([['stock', 'n1', 2]]);
    expect(await atp()).toMatchObject({ atp: 1 });
  });

  it('that are cancelled free their allowance only', async () => {
    await allow(pool, 3);
    done(await wait(one, 'backorder', 3));
    expect(codeOf(await wait(one, 'more', 1))).toBe('stock.insufficient');
    done(await act(one, 'backorder', 'release', {}));
    done(await wait(other, 'more', 3));
    expect(await stock()).toEqual([]);
  });

  it('go to those whom they were announced for, before those who rank higher', async () => {
    await allow(pool, 5);
    done(await announce(one, 'po', expected('1', 2)));
    done(await wait(one, 'preorder', 2));
    done(await wait(one, 'backorder', 2, { priority: 50 }));
    expect(await backings('preorder')).toEqual([['incoming', 'n1', 2]]);
    expect(await backings('backorder')).toEqual([['allowance', null, 2]]);
    await pool.receive('sku1', 'n2', 4);
    expect(await backings('backorder')).toEqual([['stock', 'n2', 2]]);
    expect(await backings('preorder')).toEqual([['incoming', 'n1', 2]]);
    expect(await atp()).toMatchObject({ atp: 2 });
  });

  it('serve a thousand backorders in slices, and nobody gets a unit in between', async () => {
    await allow(pool, 5_000);
    const ids = numbered('backorder', 1_000);
    for (let from = 0; from < ids.length; from += 100)
      await Promise.all(ids.slice(from, from + 100).map((id) => wait(from % 200 ? one : other, id, 1)));
    await pool.receive('sku1', 'n1', 1_010);
    const [row] = await stock();
    expect(row).toMatchObject({ available: 0, unapplied: 910, reserved: 100, onHand: 100 });
    expect(codeOf(await hold(one, 'shopper', [['sku1', 1]]))).toBe('stock.insufficient');
    expect(await brokenLaws(pool.dataSource)).toEqual([]);
    await rest();
    expect(await stock()).toMatchObject([{ available: 10, unapplied: 0, reserved: 1_000, onHand: 1_010 }]);
    done(await hold(one, 'shopper2', [['sku1', 10]]));
  });

  it('are for all once a slice has found nobody whom they could serve', async () => {
    await pool.catalog.putAllowances([{ allowance: 'a', skus: ['sku1'], nodes: ['n2'], cap: 500 }]);
    const ids = numbered('backorder', 300);
    for (let from = 0; from < ids.length; from += 100)
      await Promise.all(ids.slice(from, from + 100).map((id) => wait(one, id, 1)));
    await pool.receive('sku1', 'n1', 5);
    expect(await stock()).toMatchObject([{ node: 'n1', available: 0, unapplied: 5 }]);
    await rest();
    expect(await stock()).toMatchObject([{ node: 'n1', available: 5, unapplied: 0 }]);
  });

  it.each([
    ['a count', 'reset'],
    ['a feed of changes', 'delta'],
  ] as const)('that %s brings serve backorders first, and only the rest is for all', async (_, mode) => {
    const feeds = feedsOn(pool);
    try {
      await allow(pool, 10);
      await pool.receive('sku2', 'n1', 1);
      done(await wait(one, 'backorder', 3));
      const brought = numbered('sku', 2).map((sku) => ({ sku, node: 'n1', quantity: 5 }));
      expect(await feed(feeds, brought, { mode })).toMatchObject({ state: 'done' });
      expect(await stock()).toMatchObject([{ node: 'n1', available: 0, unapplied: 5 }]);
      expect(codeOf(await hold(other, 'shopper', [['sku1', 1]]))).toBe('stock.insufficient');
      done(await hold(other, 'buyer', [['sku2', 5]]));
      expect(await brokenLaws(pool.dataSource)).toEqual([]);
      await rest();
      expect(await backings('backorder')).toEqual([['stock', 'n1', 3]]);
      expect(await stock()).toMatchObject([{ node: 'n1', available: 2, unapplied: 0 }]);
    } finally {
      await feeds.close();
    }
  });

  it('are given out by housekeeping, without anybody asking', async () => {
    await allow(pool, 500);
    const ids = numbered('backorder', 300);
    await Promise.all(ids.map((id) => wait(one, id, 1)));
    await pool.receive('sku1', 'n1', 305);
    await new Housekeeping(other).once();
    expect(await stock()).toMatchObject([{ node: 'n1', available: 5, unapplied: 0, reserved: 300 }]);
  });

  it('are given out in one look, slice by slice, as soon as a commit has left any', async () => {
    await allow(pool, 2_000);
    const keeping: Housekeeping[] = [];
    const telling = pool.engine({ onDeferred: () => keeping.forEach((keeper) => keeper.nudge()) });
    const ids = numbered('backorder', 1_300);
    for (let from = 0; from < ids.length; from += 325)
      await Promise.all(ids.slice(from, from + 325).map((id) => wait(telling, id, 1)));
    // It would not look again by itself before this spec has given up.
    const keeper = new Housekeeping(telling, { intervalMs: 600_000 });
    keeping.push(keeper);
    keeper.start();
    try {
      const lines = [{ sku: 'sku1', node: 'n1', quantity: 1_310 }];
      done(await telling.receive(SPEC, { id: 'grn', source: 'wms', lines }));
      await until('all are served', async () => (await stock()).every(({ unapplied }) => unapplied === 0));
      expect(await stock()).toMatchObject([{ node: 'n1', available: 10, reserved: 1_300 }]);
    } finally {
      await keeper.stop();
    }
  });

  it('keep nobody waiting who wants others, however long a slice takes', async () => {
    await allow(pool, 500);
    const ids = numbered('backorder', 200);
    await Promise.all(ids.map((id) => wait(one, id, 1)));
    await pool.receive('sku2', 'n1', 1);
    await pool.receive('sku1', 'n1', 200);
    const slow = pool.dataSource.createQueryRunner();
    await slow.startTransaction();
    await slow.query(`SELECT FROM reservation WHERE reservation_key = (
      SELECT max(reservation_key) FROM backing WHERE kind = 2 AND held > 0) FOR UPDATE`);
    const waiting = (): Promise<unknown[]> =>
      pool.dataSource.query(
        `SELECT pid, query_start FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
    const busy = pool.engine({ queues: 1 });
    const [key = 0] = await busy.codes.keysOf(['sku1']);
    const tended = busy.tend([key ?? 0], true);
    await until('the slice waits for a reservation', async () => (await waiting()).length === 1);
    const before = await waiting();
    done(await hold(busy, 'buyer', [['sku2', 1]]));
    expect(await waiting()).toEqual(before);
    await slow.rollbackTransaction();
    await slow.release();
    await tended;
    expect(await stock()).toMatchObject([{ reserved: 200, unapplied: 0 }]);
  });

  it('that are told as sold while they wait for a slice are taken all the same', async () => {
    await allow(pool, 500);
    const ids = numbered('backorder', 300);
    await Promise.all(ids.map((id) => wait(one, id, 1)));
    await pool.receive('sku1', 'n1', 250);
    done(await record(one, 'till', [sale('sku1', 'n1', 100)]));
    await rest();
    expect(await stock()).toMatchObject([{ onHand: 150, unapplied: 0 }]);
  });

  describe('for lines that are amended', () => {
    const amend = (engine: StockEngine, quantity: number, mayWait: boolean, version: number, commandId = 'amend') =>
      act(engine, 'buyer', 'amend', {
        ...{ commandId, expectedVersion: version },
        lines: [{ id: '1', sku: 'sku1', quantity, mayWait }],
      });
    beforeEach(async () => {
      await pool.receive('sku1', 'n1', 3);
      done(await hold(one, 'buyer', [['sku1', 2]]));
    });

    it('are promised after what is there, and only if they may wait', async () => {
      await allow(pool, 4);
      done(await announce(one, 'po', expected('1', 2, { node: 'n2' })));
      expect(codeOf(await amend(other, 6, false, 1, 'impatient'))).toBe('stock.insufficient');
      expect(codeOf(await amend(other, 10, true, 1, 'greedy'))).toBe('stock.insufficient');
      const amended = done(await amend(other, 6, true, 1));
      expect(done(await amend(one, 6, true, 1))).toEqual(amended);
      expect(codeOf(await amend(one, 6, false, 1))).toBe('idempotency.mismatch');
      const waiting = [
        ['allowance', null, 1],
        ['incoming', 'n2', 2],
        ['stock', 'n1', 3],
      ];
      expect((await backings('buyer')).toSorted()).toEqual(waiting);
      expect(await atp()).toMatchObject({ atp: 0, atpWithIncoming: 3 });
      await pool.receive('sku1', 'n1', 1);
      expect((await backings('buyer')).toSorted()).toEqual([
        ['incoming', 'n2', 2],
        ['stock', 'n1', 4],
      ]);
    });

    it('are promised up to the cap of an allowance, whoever asks', async () => {
      await allow(pool, 5);
      const others = numbered('other', 16).map((id, index) => wait(index % 2 ? one : other, id, 1));
      const [amended, ...held] = await Promise.all([amend(other, 5, true, 1), ...others]);
      const got = held.filter(({ ok }) => ok).length;
      expect(got).toBe(amended.ok ? 3 : 6);
      if (!amended.ok) expect(codeOf(amended)).toBe('stock.insufficient');
      expect(await atp()).not.toHaveProperty('atpWithIncoming');
    });

    it('serve them in the place that their reservation has', async () => {
      await allow(pool, 10);
      done(await wait(other, 'late', 2));
      done(await amend(one, 5, true, 1));
      await pool.receive('sku1', 'n1', 3);
      expect(await backings('buyer')).toEqual([['stock', 'n1', 5]]);
      // It came first to what was there, and waits all the same behind an older reservation.
      expect(await backings('late')).toEqual([
        ['stock', 'n1', 1],
        ['allowance', null, 1],
      ]);
    });
  });

  it('of a reservation that is made more important are served first', async () => {
    await allow(pool, 10);
    done(await wait(one, 'early', 1));
    done(await wait(one, 'late', 1));
    done(await act(other, 'late', 'attach', { order: 'o1', priority: 10 }));
    await pool.receive('sku1', 'n1', 1);
    expect(await backings('late')).toEqual([['stock', 'n1', 1]]);
    expect(await backings('early')).toEqual([['allowance', null, 1]]);
  });
});
