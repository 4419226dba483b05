/** Promises that the book does not cover: which of them are moved, told, given up, and that each is told once for each change of it. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PromiseInTrouble } from '@onepool/contracts';
import { installFailpoints } from '@onepool/platform-failpoints';
import type { StockEngine, StockFeeds } from '@onepool/stock-data-access';
import { feed, feedsOn, send } from '../feed-specs/feeding.ts';
import { type Housekeeping, type PoolFixture, SPEC, numbered } from '../testing/pool-fixture.ts';
import { type SpecReads, act, allocate, codeOf, done, hold, move, record, sale, shift } from './asking.ts';
import { type Fact, Troubled } from './troubled.ts';

const HOURS_24_MS = 24 * 3_600_000;

let world: Troubled;
let pool: PoolFixture;
let engine: StockEngine;
let other: StockEngine;
let reads: SpecReads;
let keepers: readonly Housekeeping[];
let feeds: StockFeeds;
beforeEach(async () => {
  world = await Troubled.open();
  ({ pool, engine, other, reads, keepers } = world);
  feeds = feedsOn(pool);
});
afterEach(async () => {
  await feeds.close();
  expect(await world.close()).toEqual([]);
});

const look = () => world.look();
const facts = (from?: number) => world.facts(from);
const told = (from?: number) => world.told(from);
const exceptions = () => world.exceptions();
const at = (id: string, tally?: 'held' | 'confirmed') => world.at(id, tally);
const passDeadlines = () => world.passDeadlines();

function theOne<T>(one: T | undefined): T {
  if (one === undefined) throw new Error('there is none');
  return one;
}

/** Units at n1 that nobody but its order may move. */
async function ordered(id: string, quantity: number, options: Parameters<typeof hold>[3] = {}): Promise<void> {
  done(await hold(engine, id, [['sku1', quantity]], { nodes: ['n1'], ...options }));
  done(await act(engine, id, 'attach', { order: `order-${id}`, confirm: true }));
}

describe('a count below what is promised', () => {
  beforeEach(async () => {
    await pool.receive('sku1', 'n1', 6);
    await ordered('a', 2);
    await ordered('b', 3);
    done(await hold(engine, 'cart', [['sku1', 1]]));
    await pool.receive('sku1', 'n2', 3);
    await pool.catalog.putNodes([{ node: 'n1', type: 'warehouse' }]);
    await feed(feeds, [{ sku: 'sku1', node: 'n1', quantity: 2 }]);
  });

  it('moves what nobody controls, and tells the others to their orders, with where units are, once', async () => {
    for (let times = 0; times < 3; times++) await look();
    expect([await at('cart'), await at('a', 'confirmed'), await at('b', 'confirmed')]).toEqual([
      { n2: 1 },
      { n1: 2 },
      { n1: 3 },
    ]);
    const [first, ...more] = await facts();
    const { fact, key, data } = theOne(first);
    expect([fact, key, more]).toEqual(['promise.short', 'sku/sku1', []]);
    const { recordedAt, ...short } = data;
    const dueAt = new Date(Date.parse(recordedAt) + HOURS_24_MS).toISOString();
    expect(short).toEqual({
      ...{ sku: 'sku1', node: 'n1', quantity: 3 },
      promises: [{ reservation: 'b', owner: SPEC.actor, order: 'order-b', line: '1', quantity: 3, dueAt }],
    });
    expect((await reads.exceptions({ limit: 9 })).items).toMatchObject([
      { code: 'promise.short', subject: 'stock/sku1/n1', quantity: 3, dueAt, closedAt: null },
    ]);
  });

  it('is told as mended when a receipt covers it, and the exception is closed', async () => {
    await look();
    await pool.receive('sku1', 'n1', 3);
    await look();
    expect(await told(1)).toEqual([
      { fact: 'promise.mended', promises: [['b', 3]] },
      { fact: 'exception.closed', code: 'promise.short' },
    ]);
    expect((await facts(2))[0]?.data).toMatchObject({ subject: 'stock/sku1/n1', sku: 'sku1', node: 'n1' });
    expect(await exceptions()).toEqual([]);
  });

  it('is told anew for each change of what is short, with what is short of it then', async () => {
    await look();
    await pool.receive('sku1', 'n1', 1);
    await look();
    done(await record(engine, 'till', [sale('sku1', 'n1', 2)]));
    await look();
    expect(await told(1)).toEqual([
      { fact: 'promise.short', promises: [['b', 2]] },
      {
        fact: 'promise.short',
        promises: [
          ['b', 3],
          ['a', 1],
        ],
      },
    ]);
    expect(await exceptions()).toEqual([['promise.short', 'n1', 4]]);
  });

  it('is over when its order moves the units elsewhere', async () => {
    await look();
    await pool.receive('sku1', 'n3', 3);
    const moves = [{ ...shift('sku1', 'n1', 'n3', 3) }];
    const groups = [[{ id: 'b', expectedVersion: 3, moves }]];
    const [answer] = done(await allocate(other, 'routed', groups, { override: 'by_hand' }));
    expect(answer).toMatchObject({ ok: true });
    await look();
    expect(await told(1)).toEqual([
      { fact: 'promise.mended', promises: [['b', 3]] },
      { fact: 'exception.closed', code: 'promise.short' },
    ]);
  });

  it('is broken by whoever gives the units up', async () => {
    await look();
    done(await act(other, 'b', 'give-up', { lines: [{ line: '1', quantity: 3 }] }));
    await look();
    expect(await told(1)).toEqual([
      { fact: 'promise.broken', promises: [['b', 3]] },
      { fact: 'exception.closed', code: 'promise.short' },
    ]);
    expect((await facts(1))[0]?.data).toMatchObject({ sku: 'sku1', node: 'n1', quantity: 3, reason: 'given_up' });
  });

  it('is broken by the engine at the deadline, once, and not before', async () => {
    await look();
    await look();
    expect(await told(1)).toEqual([]);
    await passDeadlines();
    await look();
    expect(await told(1)).toEqual([
      { fact: 'promise.broken', promises: [['b', 3]] },
      { fact: 'exception.closed', code: 'promise.short' },
    ]);
    expect((await facts(1))[0]?.data).toMatchObject({ reason: 'deadline' });
    const [line] = (await reads.reservation(SPEC, 'b')).lines;
    expect(line?.backings).toMatchObject([{ confirmed: 0, broken: 3 }]);
    expect(await exceptions()).toEqual([]);
  });

  it('has a deadline of its own for each promise', async () => {
    await look();
    await passDeadlines();
    // Told before its own deadline has begun.
    done(await record(engine, 'till', [sale('sku1', 'n1', 1)]));
    await look();
    expect(await told(1)).toEqual([
      { fact: 'promise.broken', promises: [['b', 3]] },
      { fact: 'promise.short', promises: [['a', 1]] },
    ]);
    expect(await exceptions()).toEqual([['promise.short', 'n1', 1]]);
  });
});

describe('who decides about what is short', () => {
  beforeEach(async () => {
    await pool.receive('sku1', 'n1', 2);
    done(await hold(engine, 'cart', [['sku1', 2]]));
    done(await record(engine, 'till', [sale('sku1', 'n1', 2)]));
    await look();
  });

  it('is the engine where nobody controls it: it names it when no node has units, sets no deadline and moves it later', async () => {
    expect((await facts()).map(({ data }) => data.promises)).toEqual([
      [{ reservation: 'cart', owner: SPEC.actor, line: '1', quantity: 2 }],
    ]);
    expect(await pool.dataSource.query('SELECT due_at FROM stock_exception')).toEqual([{ due_at: null }]);
    await pool.receive('sku1', 'n2', 2);
    await look();
    expect(await at('cart')).toEqual({ n2: 2 });
    expect(await told(1)).toEqual([
      { fact: 'promise.mended', promises: [['cart', 2]] },
      { fact: 'exception.closed', code: 'promise.short' },
    ]);
  });

  it('is the order once one is attached: it is told then', async () => {
    done(await act(other, 'cart', 'attach', { order: 'order-1', confirm: true }));
    await look();
    const [first, ...more] = await facts(1);
    expect(more).toEqual([]);
    expect(first?.data.promises).toMatchObject([
      { reservation: 'cart', order: 'order-1', quantity: 2, dueAt: expect.any(String) },
    ]);
  });

  it('is told where units are, those with the most first', async () => {
    done(await act(engine, 'cart', 'attach', { order: 'order-1', confirm: true }));
    await pool.receive('sku1', 'n2', 1);
    await pool.receive('sku1', 'n3', 4);
    await look();
    const [first] = await facts(1);
    expect(first?.data.promises[0]?.candidates).toEqual([
      { node: 'n3', units: 4 },
      { node: 'n2', units: 1 },
    ]);
  });
});

describe('SKUs that rest', () => {
  afterEach(() => installFailpoints(null));

  it('are put off without waiting for a task that somebody else is about to write', async () => {
    for (const sku of ['sku1', 'sku2']) {
      await pool.receive(sku, 'n1', 1);
      done(await hold(engine, `cart-${sku}`, [[sku, 1]]));
      done(await record(engine, `till-${sku}`, [sale(sku, 'n1', 1)]));
    }
    const makeDue = (): Promise<unknown> =>
      pool.dataSource.query(
        `INSERT INTO sku_task (sku_key, due_at) SELECT sku_key, clock_timestamp() FROM sku_code
         ON CONFLICT (sku_key) DO UPDATE SET due_at = excluded.due_at`,
      );
    // Two looks that move nothing.
    for (let times = 0; times < 2; times++) {
      await makeDue();
      await keepers[0]?.once();
    }
    await makeDue();
    const writer = pool.dataSource.createQueryRunner();
    let passed = 0;
    const pass = async (name: string): Promise<void> => {
      if (name !== 'stock.put_off_tend_tasks.before_commit' || passed++ > 0) return;
      await writer.startTransaction();
      await writer.query(
        `SELECT FROM sku_task WHERE sku_key = (SELECT sku_key FROM sku_code WHERE code = 'sku2') FOR UPDATE`,
      );
    };
    installFailpoints({ pass, isPlanted: () => false });
    await keepers[0]?.once();
    expect(passed).toBe(1);
    await writer.rollbackTransaction();
    await writer.release();
    const due: unknown[] = await pool.dataSource.query(
      'SELECT code FROM sku_task JOIN sku_code USING (sku_key) ORDER BY due_at',
    );
    expect(due).toEqual([{ code: 'sku1' }, { code: 'sku2' }]);
  });
});

describe('other rules', () => {
  it('let a short promise move that was told by the rules before only after they had come', async () => {
    await pool.catalog.putChannels([{ channel: 'web', nodes: ['n1'] }]);
    await pool.receive('sku1', 'n1', 2);
    done(await hold(engine, 'cart', [['sku1', 2]]));
    await pool.receive('sku1', 'n2', 2);
    done(await record(engine, 'till', [sale('sku1', 'n1', 2)]));
    await look();
    expect(await at('cart')).toEqual({ n1: 2 });
    // A look that was decided by the rules before is committed when those who were told of others have been woken.
    await pool.dataSource.query('UPDATE stock_exception SET closed_at = clock_timestamp()');
    await pool.catalog.putChannels([{ channel: 'web', nodes: ['n1', 'n2'] }]);
    for (const keeper of keepers) await keeper.once();
    await pool.dataSource.query('UPDATE stock_exception SET closed_at = NULL');
    for (const keeper of keepers) await keeper.once();
    expect(await at('cart')).toEqual({ n1: 2 });
    world.monotonic += 8_000;
    await keepers[0]?.once();
    expect(await at('cart')).toEqual({ n2: 2 });
  });
});

describe('a rejection that says that nothing is there', () => {
  it('is told once to each other promise, however shoppers and a feed race with it, and no unit is sold that is not there', async () => {
    await pool.receive('sku1', 'n1', 30);
    const orders = numbered('order', 12);
    for (const id of orders) await ordered(id, 1);
    await ordered('rejected', 1);
    const toWork = { ...shift('sku1', 'n1', 'n1', 1), to: { node: 'n1', fulfilment: 'ful' } };
    done(await move(engine, 'rejected', 3, [toWork]));
    await send(feeds, [{ sku: 'sku1', node: 'n1', quantity: 3 }]);
    const shoppers = numbered('shopper', 24);
    const [rejected, , ...asked] = await Promise.all([
      act(other, 'rejected', 'reject', { fulfilment: 'ful', quantity: 1, effect: 'all' }),
      feeds.worker.once(),
      ...shoppers.map((id, index) => hold(index % 2 ? engine : other, id, [['sku1', 1]], { nodes: ['n1'] })),
      ...keepers.map((one) => one.once()),
    ]);
    done(rejected);
    await look();
    const granted = shoppers.filter((_, index) => codeOf(asked[index] as Parameters<typeof codeOf>[0]) === null);
    const [row] = (await reads.stock('sku1')).rows;
    const promised = orders.length + granted.length;
    expect(row).toMatchObject({ available: 0, committed: orders.length, reserved: granted.length });
    expect([0, 3]).toContain(row?.onHand);
    const named = (fact: string, all: readonly Fact[]): readonly PromiseInTrouble[] =>
      all.filter((one) => one.fact === fact).flatMap(({ data }) => data.promises);
    const all = await facts();
    const short = named('promise.short', all).map(({ reservation }) => reservation);
    expect(short.toSorted()).toEqual([...new Set(short)].toSorted());
    expect(short.length - named('promise.mended', all).length).toBe(row?.shortfall);
    expect(row?.shortfall).toBe(promised - (row?.onHand ?? 0));
    for (const id of orders.slice(3)) expect(short).toContain(id);
    for (const { reservation, order } of named('promise.short', all))
      expect(order).toBe(orders.includes(reservation) ? `order-${reservation}` : undefined);
    expect(codeOf(await hold(engine, 'late', [['sku1', 1]]))).toBe('stock.insufficient');
  });
});

describe('many promises', () => {
  it('are told in facts of 200 at most, and each once', async () => {
    await pool.receive('sku1', 'n1', 450);
    const ids = numbered('r', 450);
    const held = await Promise.all(ids.map((id) => hold(engine, id, [['sku1', 1]])));
    held.forEach(done);
    done(await record(engine, 'till', [sale('sku1', 'n1', 450)]));
    await look();
    const all = await facts();
    expect(all.map(({ data }) => data.promises.length)).toEqual([200, 200, 50]);
    expect(all.every(({ data }) => data.quantity === 450)).toBe(true);
    expect(new Set(all.flatMap(({ data }) => data.promises.map(({ reservation }) => reservation))).size).toBe(450);
  });
});
