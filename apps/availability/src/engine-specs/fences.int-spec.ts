/** Fences through the catalogue, SQL and two replicas; which rule keeps how much is tried in the domain. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FenceChange } from '@onepool/contracts';
import { Housekeeping, type StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, createPoolFixture, numbered } from '../testing/pool-fixture.ts';
import { type SpecReads, act, backedBy, codeOf, done, hold, readsOf } from './asking.ts';
import { brokenLaws } from './laws.ts';

let pool: PoolFixture;
let engine: StockEngine;
let other: StockEngine;
let reads: SpecReads;
beforeEach(async () => {
  pool = await createPoolFixture(2, 2);
  [engine, other] = [pool.engine(), pool.engine()];
  reads = readsOf(other);
  await pool.receive('sku1', 'n1', 10);
  await pool.receive('sku1', 'n2', 10);
});
afterEach(async () => {
  const broken = await brokenLaws(pool.dataSource);
  await pool.close();
  expect(broken).toEqual([]);
});

const fence = async (change: Partial<FenceChange> = {}): Promise<void> => {
  const put = { fence: 'd2c', skus: 'all' as const, nodes: ['n1'], channels: ['web'], quantity: 6, ...change };
  expect(await pool.catalog.putFences([put])).toMatchObject({ ok: true });
};
const atp = async (channel: string, nodes?: string[]): Promise<number> =>
  (await reads.atpOfOne({ channel, skus: ['sku1'], ...(nodes ? { nodes } : {}) })).atp;
/** What each side may still have of n1: the group, and others. */
const shown = async (): Promise<readonly number[]> => [await atp('web', ['n1']), await atp('pos', ['n1'])];
const used = async (): Promise<readonly object[]> =>
  pool.dataSource.query(
    `SELECT n.code AS node, used::int FROM fence_use JOIN rules_fence USING (fence_key) JOIN rules_node n USING (node_key)
      WHERE used > 0 ORDER BY 1`,
  );
let asked = 0;
const take = async (channel: string, units: number, on = engine): Promise<string> => {
  const id = `r${++asked}`;
  done(await hold(on, id, [['sku1', units]], { channel, nodes: ['n1'] }));
  return id;
};

describe('a fence of so many units', () => {
  it.each<readonly [string, readonly (readonly [who: string, units: number])[], readonly [number, number], number]>([
    ['nobody has taken any', [], [10, 4], 0],
    ['the group takes from it first', [['web', 2]], [8, 4], 2],
    ['and then from what is common', [['web', 8]], [2, 2], 6],
    ['others take from what is common', [['pos', 3]], [7, 1], 0],
    ['and never from it', [['pos', 4]], [6, 0], 0],
    [
      'both take what is theirs',
      [
        ['web', 6],
        ['pos', 4],
      ],
      [0, 0],
      6,
    ],
  ])('%s', async (_, taken, left, charged) => {
    await fence();
    for (const [channel, units] of taken) await take(channel, units);
    expect(await shown()).toEqual(left);
    expect(await used()).toEqual(charged === 0 ? [] : [{ node: 'n1', used: charged }]);
  });

  it('is refused to others from the next decision on, in a replica that has sold before it was set', async () => {
    await act(other, await take('pos', 1, other), 'release', {});
    await fence({ quantity: 10 });
    expect(codeOf(await hold(other, 'late', [['sku1', 1]], { channel: 'pos', nodes: ['n1'] }))).toBe(
      'stock.insufficient',
    );
    expect(backedBy(done(await hold(other, 'elsewhere', [['sku1', 1]], { channel: 'pos' })))).toEqual({ n2: 1 });
  });

  it('gets back what ends otherwise than with the buyer, and what is shipped stays spent', async () => {
    await fence();
    const [released, shipped] = [await take('web', 2), await take('web', 3, other)];
    done(await act(other, released, 'release', {}));
    done(await act(engine, shipped, 'confirm', {}));
    expect(await used()).toEqual([{ node: 'n1', used: 3 }]);
    done(await act(other, shipped, 'fulfil', {}));
    expect(await used()).toEqual([{ node: 'n1', used: 3 }]);
    expect(await shown()).toEqual([7, 4]);
  });

  it('gets back what has run out, for who reads before anybody has written it', async () => {
    await fence();
    done(await hold(engine, 'cart', [['sku1', 5]], { nodes: ['n1'], expiresInSeconds: 0 }));
    expect(await used()).toEqual([{ node: 'n1', used: 5 }]);
    expect(await shown()).toEqual([10, 4]);
    await new Housekeeping(engine).once();
    expect(await used()).toEqual([]);
    expect(await shown()).toEqual([10, 4]);
  });

  it('has nothing used once it is set anew; another end or other SKUs leave what is used', async () => {
    await fence();
    await take('web', 4);
    await fence({ skus: ['sku1'], until: '2099-01-01T00:00:00Z', reason: 'spring' });
    expect(await shown()).toEqual([6, 4]);
    await fence({ quantity: 5 });
    expect([await used(), await shown()]).toEqual([[], [6, 1]]);
  });

  it('is over when its time has come, or when it is lifted', async () => {
    await fence({ until: new Date(Date.now() - 1_000).toISOString() });
    expect(await shown()).toEqual([10, 10]);
    await fence({ until: null });
    expect(await shown()).toEqual([10, 4]);
    await fence({ quantity: 0 });
    expect(await shown()).toEqual([10, 10]);
  });

  it('is for its SKUs, nodes and group', async () => {
    await fence({ skus: ['sku2'] });
    expect(await shown()).toEqual([10, 10]);
    await fence({ skus: ['sku1'], nodes: 'all', channels: ['pos'], quantity: 7 });
    expect([await atp('web'), await atp('pos')]).toEqual([6, 20]);
  });
});

describe('a share', () => {
  it('is live, and nothing is charged to it', async () => {
    await fence({ quantity: null, sharePercent: 40 });
    expect(await shown()).toEqual([10, 6]);
    await take('web', 5);
    expect([await shown(), await used()]).toEqual([[5, 3], []]);
  });
});

describe('32 buyers on two replicas', () => {
  it('of both sides never get more than the parts of the group and of others', async () => {
    await fence();
    const buyers = numbered('buyer', 32).map((id, place) => ({ id, channel: place % 2 === 0 ? 'web' : 'pos' }));
    const asking = buyers.map(({ id, channel }, place) =>
      hold(place % 4 < 2 ? engine : other, id, [['sku1', 1]], { channel, nodes: ['n1'] }),
    );
    const granted = (await Promise.all(asking)).flatMap((answer, place) =>
      answer.ok ? [buyers[place]?.channel ?? ''] : [],
    );
    const toOthers = granted.filter((channel) => channel === 'pos').length;
    expect(granted).toHaveLength(10);
    expect(toOthers).toBeLessThanOrEqual(4);
    expect(await used()).toEqual([{ node: 'n1', used: 6 }]);
  });
});
