/** Units that are free already are offered to those who wait as soon as other rules, or the clock, let them have them. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PutStops } from '@onepool/contracts';
import type { StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, Housekeeping, SPEC, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import { codeOf, done, hold, readsOf, until } from './asking.ts';
import { brokenLaws } from './laws.ts';

let pool: PoolFixture;
let one: StockEngine;
let other: StockEngine;
let keepers: readonly Housekeeping[];
beforeEach(async () => {
  pool = await createPoolFixture(2, 2);
  [one, other] = [pool.engine(), pool.engine()];
  keepers = [new Housekeeping(one), new Housekeeping(other)];
  await pool.catalog.putAllowances([{ allowance: 'a', skus: 'all', cap: 5_000 }]);
});
afterEach(async () => {
  const broken = await brokenLaws(pool.dataSource);
  await pool.close();
  expect(broken).toEqual([]);
});

const wait = async (engine: StockEngine, id: string, quantity: number, nodes?: string[]): Promise<void> => {
  const lines = [{ sku: 'sku1', quantity, mayWait: true }];
  done(await engine.hold(SPEC, { id, channel: 'web', lines, ...(nodes ? { nodes } : {}) }));
};
const backings = async (id: string) =>
  (await readsOf(one).reservation({ ...SPEC, nodes: 'all', channels: 'all' }, id)).lines
    .flatMap((line) => line.backings)
    .filter(({ held }) => held > 0)
    .map(({ kind, node, held }) => [kind, node, held]);
const search = async (): Promise<{ after_key: number | null; again: boolean; is_due: boolean }> => {
  const [row] = await pool.dataSource.query<{ after_key: number | null; again: boolean; is_due: boolean }[]>(
    'SELECT after_key, again, due_at <= clock_timestamp() AS is_due FROM wait_search',
  );
  if (!row) throw new Error('there is one search');
  return row;
};
const SOON_MS = 1_000;
const soon = (): string => new Date(Date.now() + SOON_MS).toISOString();
const putStops = async (mode: 'stop' | 'none', stop: Partial<PutStops['stops'][number]>): Promise<void> =>
  void done(await other.putStops(SPEC, { stops: [{ sku: 'sku1', mode, ...stop }] }));
const stopRule = (mode: 'stop' | 'none', nodes: string[]) => pool.catalog.putStopRules([{ rule: 'r', mode, nodes }]);
const fence = (quantity: number, channels = ['pos']) =>
  pool.catalog.putFences([{ fence: 'f', quantity, channels, skus: ['sku1'] }]);

describe('units that are there are offered to those who wait', () => {
  it.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    ['a stop of the node is lifted', () => stopRule('stop', ['n1']), () => stopRule('none', ['n1'])],
    ['a stop is for another node', () => stopRule('stop', ['n1']), () => stopRule('stop', ['n2'])],
    ['a fence is lifted', () => fence(5), () => fence(0)],
    ['a fence is for them', () => fence(5), () => fence(5, ['web'])],
    [
      'the node opens',
      () => pool.catalog.putNodes([{ node: 'n1', activeFrom: '2099-01-01T00:00:00Z' }]),
      () => pool.catalog.putNodes([{ node: 'n1', activeFrom: null }]),
    ],
    [
      'the node joins their channel',
      () => pool.catalog.putChannels([{ channel: 'web', nodes: ['n2'] }]),
      () => pool.catalog.putChannels([{ channel: 'web', nodes: ['n1', 'n2'] }]),
    ],
  ])('once %s', async (_, close, open) => {
    await close();
    await pool.receive('sku1', 'n1', 5);
    await wait(one, 'backorder', 3);
    await keepers[0]?.once();
    expect(await backings('backorder')).toEqual([['allowance', null, 3]]);
    await open();
    for (const keeper of keepers) await keeper.once();
    expect(await backings('backorder')).toEqual([['stock', 'n1', 3]]);
    done(await hold(other, 'shopper', [['sku1', 2]], { nodes: ['n1'] }));
  });

  it.each<[string, (until: string) => Promise<unknown>]>([
    ['a stop of the node', (at) => pool.catalog.putStopRules([{ rule: 'r', mode: 'stop', nodes: ['n1'], until: at }])],
    [
      'a fence',
      (at) => pool.catalog.putFences([{ fence: 'f', quantity: 5, channels: ['pos'], skus: ['sku1'], until: at }]),
    ],
    ['a stop of the SKU', (at) => putStops('stop', { node: 'n1', until: at })],
    ['the time before the node opens', (at) => pool.catalog.putNodes([{ node: 'n1', activeFrom: at }])],
  ])('once %s is over by the clock', async (_, close) => {
    const at = soon();
    await close(at);
    await pool.receive('sku1', 'n1', 5);
    await wait(one, 'backorder', 3);
    await until('it is over, and who waited is served', async () => {
      await keepers[1]?.once();
      return (await backings('backorder')).some(([kind]) => kind === 'stock');
    });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(at));
    expect(await backings('backorder')).toEqual([['stock', 'n1', 3]]);
  });

  it('in the moment in which a stop of their SKU is lifted, before any shopper', async () => {
    await putStops('stop', { channel: 'web' });
    await pool.receive('sku1', 'n1', 5);
    await putStops('none', { channel: 'web' });
    await putStops('stop', { node: 'n1' });
    await wait(one, 'backorder', 3);
    await putStops('stop', { node: 'n1', channel: 'pos' });
    expect(await backings('backorder')).toEqual([['allowance', null, 3]]);
    const shoppers = numbered('shopper', 16).map((id, index) => hold(index % 2 ? one : other, id, [['sku1', 1]]));
    const [, ...held] = await Promise.all([putStops('none', { node: 'n1' }), ...shoppers]);
    expect(held.filter(({ ok }) => ok).length).toBeLessThanOrEqual(2);
    for (const answer of held) if (!answer.ok) expect(codeOf(answer)).toBe('stock.insufficient');
    expect(await backings('backorder')).toEqual([['stock', 'n1', 3]]);
  });

  describe('page by page, where there are many,', () => {
    const rows = async () => (await readsOf(one).stock('sku1')).rows;
    const tasks = (): Promise<unknown> =>
      pool.dataSource.query('SELECT after_rank IS NULL AS begins, offers FROM sku_task');
    const waitAll = async (count: number, nodes?: string[]): Promise<void> => {
      const ids = numbered('backorder', count);
      for (let from = 0; from < ids.length; from += 300)
        await Promise.all(ids.slice(from, from + 300).map((id, index) => wait(index % 2 ? one : other, id, 1, nodes)));
    };
    let key: number;
    beforeEach(async () => {
      const [found] = await one.codes.keysOf(['sku1']);
      key = found ?? 0;
      await stopRule('stop', ['n1']);
    });

    it('and what a page leaves stays for sale', async () => {
      await pool.receive('sku1', 'n1', 320);
      await waitAll(300);
      await stopRule('none', ['n1']);
      await other.offer(key);
      expect(await rows()).toMatchObject([{ available: 220, reserved: 100, unapplied: 0 }]);
      done(await hold(one, 'shopper', [['sku1', 15]]));
      for (const keeper of keepers) await keeper.once();
      expect(await rows()).toMatchObject([{ available: 5, reserved: 315, unapplied: 0 }]);
      expect(await tasks()).toEqual([]);
    });

    it('also to those behind very many who may not have them, and without being off sale meanwhile', async () => {
      await pool.receive('sku1', 'n1', 5);
      await waitAll(101, ['n2']);
      await wait(one, 'last', 3);
      await stopRule('none', ['n1']);
      await other.offer(key);
      expect(await rows()).toMatchObject([{ available: 5, unapplied: 0 }]);
      expect(await backings('last')).toEqual([['allowance', null, 3]]);
      expect(await tasks()).toEqual([{ begins: false, offers: 1 }]);
      // Asked again before the end it goes on, and round once more.
      await other.offer(key);
      expect(await backings('last')).toEqual([['stock', 'n1', 3]]);
      expect(await tasks()).toEqual([{ begins: true, offers: 1 }]);
      await until('all have been offered what is left', async () => {
        await keepers[0]?.once();
        return (await pool.dataSource.query<unknown[]>('SELECT FROM sku_task')).length === 0;
      });
      expect(await rows()).toMatchObject([{ available: 2, unapplied: 0 }]);
    });

    it('of which a stop of their SKU that is lifted offers the first page, and a task the others', async () => {
      await stopRule('none', ['n1']);
      await putStops('stop', { node: 'n1' });
      await pool.receive('sku1', 'n1', 5);
      await waitAll(101, ['n2']);
      await wait(one, 'last', 3);
      await putStops('none', { node: 'n1' });
      expect(await rows()).toMatchObject([{ available: 5, unapplied: 0 }]);
      expect(await tasks()).toEqual([{ begins: false, offers: 1 }]);
      await keepers[0]?.once();
      expect(await backings('last')).toEqual([['stock', 'n1', 3]]);
    });
  });
});

describe('the search for those who wait', () => {
  /** Those who waited by rules that are no longer in force. */
  async function serveLate(): Promise<void> {
    await stopRule('stop', ['n1']);
    await pool.receive('sku1', 'n1', 5);
    await wait(one, 'backorder', 3);
    await stopRule('none', ['n1']);
  }

  it('is made twice, since somebody may have been told to wait by the rules before', async () => {
    await serveLate();
    for (const keeper of keepers) await keeper.once();
    expect(await search()).toEqual({ after_key: 0, again: false, is_due: false });
    await pool.dataSource.query(`UPDATE wait_search SET due_at = '-infinity'`);
    for (const keeper of keepers) await keeper.once();
    expect(await search()).toMatchObject({ after_key: null, again: false });
    await stopRule('stop', ['n2']);
    await keepers[0]?.once();
    expect(await search()).toEqual({ after_key: 0, again: false, is_due: false });
  });

  it('is taken up by another replica where the first has left it', async () => {
    await serveLate();
    await keepers[0]?.once();
    expect(await backings('backorder')).toEqual([['stock', 'n1', 3]]);
    await stopRule('stop', ['n1']);
    await pool.receive('sku1', 'n1', 5);
    await wait(one, 'second', 4);
    await keepers[0]?.once();
    await stopRule('none', ['n1']);
    // The first dies after it has taken the search, and before it has found anybody.
    await pool.dataSource.query(
      `UPDATE wait_search SET rules = 'of the dead', after_key = 0, again = false, due_at = 'infinity', lease_until = clock_timestamp()`,
    );
    await keepers[1]?.once();
    expect(await backings('second')).toEqual([['stock', 'n1', 4]]);
  });

  it('is told of other rules while somebody is at it, and what was offered by the rules before counts for nothing', async () => {
    await serveLate();
    await pool.dataSource.query(
      `UPDATE wait_search SET rules = 'before', after_key = 0, again = false, due_at = 'infinity', lease_until = clock_timestamp() + interval '1 minute'`,
    );
    await keepers[0]?.once();
    expect(await search()).toEqual({ after_key: 0, again: true, is_due: true });
    expect(await backings('backorder')).toEqual([['allowance', null, 3]]);
    await pool.dataSource.query(`UPDATE wait_search SET lease_until = clock_timestamp()`);
    await keepers[1]?.once();
    expect(await backings('backorder')).toEqual([['stock', 'n1', 3]]);
  });

  it('comes to its end however many rows there are that nobody waits for', async () => {
    await pool.dataSource.query(
      `INSERT INTO supply (supply_key, sku_key, node_key, kind) SELECT nextval('supply_key'), 1000 + n, 0, 2 FROM generate_series(1, 2500) n`,
    );
    await serveLate();
    await keepers[0]?.once();
    expect(await backings('backorder')).toEqual([['stock', 'n1', 3]]);
    await keepers[1]?.once();
    expect(await search()).toEqual({ after_key: 0, again: false, is_due: false });
  });
});
