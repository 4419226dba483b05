import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, createPoolFixture } from '../testing/pool-fixture.ts';
import { type SpecReads, act, backedBy, codeOf, done, hold, readsOf } from './asking.ts';
import { brokenLaws } from './laws.ts';

/** Each rule is set through the catalogue and met by another replica, which must not decide by what it remembers. */
describe('who may sell what from where', () => {
  let pool: PoolFixture;
  let engine: StockEngine;
  let reads: SpecReads;
  beforeEach(async () => {
    pool = await createPoolFixture(3, 2);
    [engine, reads] = [pool.engine(), readsOf(pool.engine())];
    await pool.receive('sku1', 'n1', 6);
    await pool.receive('sku1', 'n2', 4);
    // Both have decided under the first rules, so that they remember them.
    done(await hold(engine, 'warm', [['sku1', 1]], { expiresInSeconds: 0 }));
    expect(await atp()).toBe(10);
  });
  afterEach(async () => {
    const broken = await brokenLaws(pool.dataSource);
    await pool.close();
    expect(broken).toEqual([]);
  });

  const atp = async (channel = 'web', nodes?: string[]) =>
    (await reads.atpOfOne({ channel, skus: ['sku1'], ...(nodes ? { nodes } : {}) })).atp;
  /** The most that one hold is granted: what it says it lacks, and that exactly so much succeeds. */
  let asked = 0;
  const grantable = async (options: Parameters<typeof hold>[3] = {}): Promise<number> => {
    const most = await hold(engine, `most-${++asked}`, [['sku1', 99]], { ...options, allowPartial: true });
    if (!most.ok) return 0;
    done(await act(engine, most.value.id, 'release', {}));
    const granted = most.value.lines[0]?.granted ?? 0;
    expect(codeOf(await hold(engine, `over-${asked}`, [['sku1', granted + 1]], options))).toBe('stock.insufficient');
    return granted;
  };

  it('a node threshold hides units of that node from the next decision on, in every replica', async () => {
    await pool.catalog.putThresholds([{ scope: 'node', node: 'n1', quantity: 5 }]);
    expect([await grantable(), await atp()]).toEqual([5, 5]);
    await pool.catalog.putThresholds([{ scope: 'node', node: 'n1', quantity: 0 }]);
    expect([await grantable(), await atp()]).toEqual([10, 10]);
  });

  it('of several thresholds the largest match wins; those of other channels, nodes and SKUs do not count', async () => {
    await pool.catalog.putThresholds([
      { scope: 'node', quantity: 1 },
      { scope: 'node', channel: 'web', sku: 'sku1', node: 'n1', quantity: 2 },
      { scope: 'node', channel: 'pos', quantity: 4 },
      { scope: 'node', sku: 'sku2', quantity: 6 },
      { scope: 'node', node: 'n3', quantity: 6 },
    ]);
    expect([await grantable(), await atp()]).toEqual([6 - 2 + (4 - 1), 7]);
    expect([await grantable({ channel: 'pos' }), await atp('pos')]).toEqual([2, 2]);
  });

  it('a network threshold is taken off the channel once, not off each node or pickup place', async () => {
    await pool.catalog.putThresholds([{ scope: 'network', channel: 'web', quantity: 3 }]);
    expect([await grantable(), await atp()]).toEqual([7, 7]);
    expect([await grantable({ nodes: ['n1'] }), await atp('web', ['n1'])]).toEqual([6, 6]);
    expect([await grantable({ channel: 'pos' }), await atp('pos')]).toEqual([10, 10]);
  });

  it('node and network thresholds add up', async () => {
    await pool.catalog.putThresholds([
      { scope: 'node', node: 'n2', quantity: 9 },
      { scope: 'network', quantity: 2 },
    ]);
    expect([await grantable(), await atp()]).toEqual([4, 4]);
    await pool.catalog.putThresholds([{ scope: 'network', quantity: 50 }]);
    expect([await grantable(), await atp()]).toEqual([0, 0]);
  });

  it('a node sells from the start of its activity window until just before its end', async () => {
    const hour = 3_600_000;
    const at = (offset: number): string => new Date(Date.now() + offset).toISOString();
    const window = (activeFrom: string, activeTo: string) =>
      pool.catalog.putNodes([{ node: 'n1', type: 'warehouse', activeFrom, activeTo }]);
    await window(at(hour), at(2 * hour));
    expect([await grantable(), await atp()]).toEqual([4, 4]);
    await window(at(-2 * hour), at(-hour));
    expect([await grantable(), await atp()]).toEqual([4, 4]);
    await window(at(-hour), at(hour));
    expect([await grantable(), await atp()]).toEqual([10, 10]);
  });

  it('a channel sells from its node types and nodes only, from the next decision on', async () => {
    await pool.catalog.putNodes([{ node: 'n2', type: 'store' }]);
    await pool.catalog.putChannels([{ channel: 'web', type: 'web', nodeTypes: ['store'] }]);
    expect([await grantable(), await atp()]).toEqual([4, 4]);
    await pool.catalog.putChannels([{ channel: 'web', nodeTypes: 'all', nodes: ['n1'] }]);
    expect([await grantable(), await atp()]).toEqual([6, 6]);
  });

  it.each([{ nodes: [] }, { nodeTypes: [] }])('a channel whose list is empty sells nothing: %j', async (lists) => {
    await pool.catalog.putChannels([{ channel: 'web', ...lists }]);
    expect([await grantable(), await atp()]).toEqual([0, 0]);
  });

  it('a channel, node and SKU that are new sell at once, in replicas that never heard of them', async () => {
    await pool.catalog.putNodes([{ node: 'popup', type: 'popup' }]);
    await pool.catalog.putChannels([{ channel: 'fair', type: 'web', nodes: ['popup'] }]);
    await pool.catalog.putSkus([{ sku: 'mug' }]);
    await pool.receive('mug', 'popup', 3);
    expect(backedBy(done(await hold(engine, 'r', [['mug', 2]], { channel: 'fair' })))).toEqual({ popup: 2 });
  });

  it('nodes named by the hold alone back it, however much others have', async () => {
    expect(await grantable({ nodes: ['n2'] })).toBe(4);
    expect(await grantable({ nodes: ['n3'] })).toBe(0);
    expect(backedBy(done(await hold(engine, 'r', [['sku1', 9]], { nodes: ['n2', 'n1'] })))).toEqual({ n1: 6, n2: 3 });
  });

  it('the nearest node serves a destination; without one the fullest does; a split is the last resort', async () => {
    await pool.catalog.putNodes([
      { node: 'n1', type: 'warehouse', lat: 40.7, lng: -74 },
      { node: 'n2', type: 'warehouse', lat: 34, lng: -118.2 },
    ]);
    const losAngeles = { lat: 34.05, lng: -118.25 };
    const near = (quantity: number, id: string) => hold(engine, id, [['sku1', quantity]], { destination: losAngeles });
    expect(backedBy(done(await near(4, 'near')))).toEqual({ n2: 4 });
    done(await act(engine, 'near', 'release', {}));
    expect(backedBy(done(await near(5, 'whole')))).toEqual({ n1: 5 });
    done(await act(engine, 'whole', 'release', {}));
    expect(backedBy(done(await near(7, 'split')))).toEqual({ n2: 4, n1: 3 });
    done(await act(engine, 'split', 'release', {}));
    expect(backedBy(done(await hold(engine, 'anywhere', [['sku1', 1]])))).toEqual({ n1: 1 });
  });

  it('a threshold that rises above what is promised hides what is left and takes nothing back', async () => {
    done(await hold(engine, 'r', [['sku1', 8]]));
    await pool.catalog.putThresholds([{ scope: 'network', quantity: 9 }]);
    expect(await atp()).toBe(0);
    expect(codeOf(await act(engine, 'r', 'confirm', {}))).toBe(null);
  });
});
