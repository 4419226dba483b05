/** Units that were announced, or were not, as they arrive: whom they serve, and what is for all. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ReceiptRequest } from '@onepool/contracts';
import { Housekeeping, InboundReads, type StockEngine } from '@onepool/stock-data-access';
import { feed, feedsOn } from '../feed-specs/feeding.ts';
import { type PoolFixture, SPEC, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import { codeOf, done, hold, until } from './asking.ts';
import { brokenLaws } from './laws.ts';
import { allow, announce, atpOf, backingsOf, expected, giveOut, stockOf, wait } from './to-come.ts';

describe('units that arrive', () => {
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
  type Arrived = ReceiptRequest['lines'][number];
  const arrive = (engine: StockEngine, id: string, lines: readonly Arrived[], more: Partial<ReceiptRequest> = {}) =>
    engine.receive(SPEC, { id, source: 'wms', inbound: 'po', lines: [...lines], ...more });
  const line = async () => done(await new InboundReads(one).inbound(SPEC.actor, 'po')).lines[0];

  it('are for those whom the line was promised to, and only the rest is for all', async () => {
    done(await announce(one, 'po', expected('1', 10)));
    done(await wait(one, 'preorder', 4));
    const shoppers = numbered('shopper', 32).map((id, index) => hold(index % 2 ? one : other, id, [['sku1', 1]]));
    const [arrived] = await Promise.all([arrive(other, 'grn', [{ line: '1', quantity: 10 }]), ...shoppers]);
    expect(done(arrived).lines).toEqual([{ over: 0, lost: 0, served: 4, late: false }]);
    expect(await backings('preorder')).toEqual([['stock', 'n1', 4]]);
    expect(await stock()).toMatchObject([{ node: 'n1', onHand: 10, shortfall: 0, unapplied: 0 }]);
    expect(await line()).toMatchObject({ received: 10, lost: 0, promised: 0, closed: true });
    expect(await pool.dataSource.query('SELECT FROM supply WHERE kind = 1')).toEqual([]);
  });

  it('take effect once, whichever replica is told', async () => {
    done(await announce(one, 'po', expected('1', 10)));
    const told = [one, other, one].map((engine) => arrive(engine, 'grn', [{ line: '1', quantity: 6 }]));
    const [first, ...more] = (await Promise.all(told)).map(done);
    for (const answer of more) expect(answer).toEqual(first);
    expect(codeOf(await arrive(other, 'grn', [{ line: '1', quantity: 7 }]))).toBe('idempotency.mismatch');
    expect(await line()).toMatchObject({ received: 6, closed: false });
    expect(await stock()).toMatchObject([{ available: 6, unapplied: 0 }]);
    expect(await atp()).toMatchObject({ atp: 6, atpWithIncoming: 10 });
  });

  it('damaged are counted as damaged, and nobody is served of them', async () => {
    done(await announce(one, 'po', expected('1', 5)));
    done(await wait(one, 'preorder', 5));
    done(await arrive(other, 'grn', [{ line: '1', quantity: 5, damaged: 2 }]));
    expect(await stock()).toMatchObject([{ onHand: 5, damaged: 2, reserved: 3, available: 0 }]);
    expect(await backings('preorder')).toEqual([
      ['incoming', 'n1', 2],
      ['stock', 'n1', 3],
    ]);
  });

  it.each([
    ['fewer than were announced leave the rest short, until units come from elsewhere', 3, true, 3, 2],
    ['more than were announced are for all', 8, false, 5, 0],
  ])('%s', async (_, quantity, closes, served, short) => {
    done(await announce(one, 'po', expected('1', 5)));
    done(await wait(one, 'preorder', 5));
    const { lines } = done(await arrive(one, 'grn', [{ line: '1', quantity, closes }]));
    expect(lines).toMatchObject([{ served, over: Math.max(0, quantity - 5), lost: Math.max(0, 5 - quantity) }]);
    expect(await stock()).toMatchObject([{ available: Math.max(0, quantity - 5), reserved: served }]);
    expect(await brokenLaws(pool.dataSource)).toEqual([]);
    await pool.receive('sku1', 'n2', 4);
    const there = (await stock()).find(({ node }) => node === 'n2');
    expect(there).toMatchObject({ reserved: short, available: 4 - short });
    expect(await line()).toMatchObject({ promised: 0, closed: true });
  });

  it('without having been announced serve backorders first', async () => {
    await allow(pool, 5);
    done(await wait(one, 'backorder', 2));
    const lines = [{ sku: 'sku1', node: 'n1', quantity: 3 }];
    done(await one.receive(SPEC, { id: 'grn', source: 'wms', lines }));
    expect(await backings('backorder')).toEqual([['stock', 'n1', 2]]);
    expect(await atp()).toMatchObject({ atp: 1 });
  });

  it('serve 2,500 backorders in slices', async () => {
    await allow(pool, 5_000);
    const ids = numbered('backorder', 2_500);
    for (let from = 0; from < ids.length; from += 250)
      await Promise.all(ids.slice(from, from + 250).map((id) => wait(from % 500 ? one : other, id, 1)));
    done(await announce(one, 'po', expected('1', 2_600)));
    done(await arrive(one, 'grn', [{ line: '1', quantity: 2_600 }]));
    expect(await stock()).toMatchObject([{ available: 0, unapplied: 2_500, reserved: 100 }]);
    const keeping = [new Housekeeping(one), new Housekeeping(other)];
    await until('all are served', async () => {
      await Promise.all(keeping.map((housekeeping) => housekeeping.once()));
      return (await stock()).every(({ unapplied }) => unapplied === 0);
    });
    expect(await stock()).toMatchObject([{ available: 100, reserved: 2_500 }]);
  });

  it('that a newer count has seen leave the number as it is, and drain the line all the same', async () => {
    const feeds = feedsOn(pool);
    try {
      done(await announce(one, 'po', expected('1', 6)));
      done(await wait(one, 'preorder', 2));
      const at = new Date(Date.now() - 60_000).toISOString();
      await feed(feeds, [{ sku: 'sku1', node: 'n1', quantity: 10 }]);
      await giveOut(other);
      const { lines } = done(await arrive(other, 'grn', [{ line: '1', quantity: 6 }], { occurredAt: at }));
      expect(lines).toMatchObject([{ late: true }]);
      await giveOut(other);
      expect(await backings('preorder')).toEqual([['stock', 'n1', 2]]);
      expect(await stock()).toMatchObject([{ onHand: 10, available: 8, reserved: 2 }]);
      expect(await atp()).not.toHaveProperty('atpWithIncoming');
    } finally {
      await feeds.close();
    }
  });

  it.each([
    ['inbound.unknown', { inbound: 'none', lines: [{ line: '1', quantity: 1 }] }],
    ['inbound.line_unknown', { lines: [{ line: '2', quantity: 1 }] }],
    ['receipt.damaged_beyond', { lines: [{ line: '1', quantity: 1, damaged: 2 }] }],
    ['sku.unknown', { lines: [{ sku: 'none', node: 'n1', quantity: 1 }] }],
  ] as const)('are refused with %s', async (code, { lines, ...more }) => {
    done(await announce(one, 'po', expected('1', 6)));
    expect(codeOf(await arrive(one, 'grn', [...lines], more))).toBe(code);
  });
});
