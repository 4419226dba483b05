/** Lines of receipts that are late or bring less: what that means for those who wait for them. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PutInbound } from '@onepool/contracts';
import type { StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, SPEC } from '../testing/pool-fixture.ts';
import { type SpecReads, act, done, hold, until } from './asking.ts';
import { Troubled } from './troubled.ts';

let world: Troubled;
let pool: PoolFixture;
let engine: StockEngine;
let other: StockEngine;
let reads: SpecReads;
beforeEach(async () => {
  world = await Troubled.open();
  ({ pool, engine, other, reads } = world);
});
afterEach(async () => expect(await world.close()).toEqual([]));

const look = () => world.look();
const told = (from?: number) => world.told(from);
const exceptions = () => world.exceptions();
const at = (id: string, tally?: 'held' | 'confirmed') => world.at(id, tally);

describe('a line that does not bring what was promised of it', () => {
  type Line = PutInbound['lines'][number];
  const announce = async (more: Partial<Line> = {}): Promise<void> =>
    void done(
      await engine.putInbound(SPEC, { id: 'po', lines: [{ id: '1', sku: 'sku1', node: 'n1', quantity: 5, ...more }] }),
    );
  const wait = async (id: string, quantity: number, isOrdered: boolean): Promise<void> => {
    done(await hold(engine, id, [], { lines: [{ sku: 'sku1', quantity, mayWait: true }] }));
    if (isOrdered) done(await act(engine, id, 'attach', { order: `order-${id}`, confirm: true }));
  };
  const receive = (quantity: number, closes: boolean) =>
    other.receive(SPEC, {
      ...{ id: `receipt-${quantity}`, source: 'wms', inbound: 'po' },
      lines: [{ line: '1', quantity, ...(closes ? { closes } : {}) }],
    });
  const isLate = async (): Promise<unknown> =>
    (await pool.dataSource.query<{ is_late: boolean }[]>('SELECT is_late FROM inbound_line'))[0]?.is_late;

  it('is an exception while it is late, and offers to those nobody controls what is free elsewhere', async () => {
    await announce({ dueAt: '2099-01-01T00:00:00Z' });
    await wait('cart', 1, false);
    await wait('a', 2, true);
    await pool.receive('sku1', 'n2', 9);
    await look();
    expect([await exceptions(), await at('cart')]).toEqual([[], { n1: 1 }]);
    const dueAt = new Date(Date.now() + 300).toISOString();
    await announce({ dueAt });
    await until('the line is late', () => new Date().toISOString() > dueAt);
    await look();
    expect([await at('cart'), await at('a', 'confirmed')]).toEqual([{ n2: 1 }, { n1: 2 }]);
    expect([await exceptions(), await isLate()]).toEqual([[['inbound.overdue', 'n1', 5]], true]);
    expect((await reads.exceptions({ limit: 9 })).items).toMatchObject([
      { subject: `inbound/${SPEC.actor}/po/1`, inbound: { owner: SPEC.actor, id: 'po', line: '1' } },
    ]);
    await announce({ dueAt: '2099-01-01T00:00:00Z' });
    await look();
    expect([await exceptions(), await isLate()]).toEqual([[], false]);
    expect(await told()).toEqual([{ fact: 'exception.closed', code: 'inbound.overdue' }]);
  });

  it('is not looked at again once it was told late', async () => {
    await announce({ dueAt: '2020-01-01T00:00:00Z' });
    await look();
    expect(await exceptions()).toEqual([['inbound.overdue', 'n1', 5]]);
    await look();
    expect(await pool.dataSource.query('SELECT FROM sku_task')).toEqual([]);
    done(await receive(5, false));
    await look();
    expect(await told()).toEqual([{ fact: 'exception.closed', code: 'inbound.overdue' }]);
  });

  it('is short when it closes with less, which is told with its promises until units come', async () => {
    await announce();
    await wait('a', 2, true);
    await wait('b', 2, true);
    done(await receive(3, true));
    await look();
    expect(await at('a', 'confirmed')).toEqual({ n1: 2 });
    expect((await exceptions()).toSorted()).toEqual([
      ['inbound.short', 'n1', 1],
      ['promise.short', 'n1', 1],
    ]);
    const [first, ...more] = await world.facts();
    expect(more).toEqual([]);
    expect(first?.data).toMatchObject({
      ...{ sku: 'sku1', node: 'n1', quantity: 1, inbound: { owner: SPEC.actor, id: 'po', line: '1' } },
      promises: [{ reservation: 'b', order: 'order-b', quantity: 1 }],
    });
    await pool.receive('sku1', 'n1', 1);
    await look();
    expect((await told(1)).toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))).toEqual([
      { fact: 'exception.closed', code: 'inbound.short' },
      { fact: 'exception.closed', code: 'promise.short' },
      { fact: 'promise.mended', promises: [['b', 1]] },
    ]);
  });

  it('has its short promises given up at the deadline', async () => {
    await announce();
    await wait('a', 4, true);
    done(await receive(1, true));
    await look();
    await world.passDeadlines();
    await look();
    expect((await told(1)).filter((one) => 'promises' in one)).toEqual([
      { fact: 'promise.broken', promises: [['a', 3]] },
    ]);
    expect(await exceptions()).toEqual([]);
  });
});
