/** Stops through the catalogue and of SKUs, met by another replica than the one that was told; promises stay and may ship. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PutStops } from '@onepool/contracts';
import type { StockEngine } from '@onepool/stock-data-access';
import { type PoolFixture, SPEC, createPoolFixture, numbered, unitsOf } from '../testing/pool-fixture.ts';
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
  await pool.receive('sku1', 'n2', 5);
  // The other replica remembers how it was.
  done(await hold(other, 'warm', [['sku1', 1]], { expiresInSeconds: 0 }));
  expect(await atp()).toBe(15);
});
afterEach(async () => {
  const broken = await brokenLaws(pool.dataSource);
  await pool.close();
  expect(broken).toEqual([]);
});

type Stop = PutStops['stops'][number];
const stop = async (...stops: readonly Partial<Stop>[]): Promise<void> =>
  void done(await engine.putStops(SPEC, { stops: stops.map((one) => ({ sku: 'sku1', mode: 'stop', ...one })) }));
const atp = async (channel = 'web'): Promise<number> => (await reads.atpOfOne({ channel, skus: ['sku1'] })).atp;
const refused = async (id: string, channel = 'web', nodes?: readonly string[]): Promise<boolean> =>
  codeOf(await hold(other, id, [['sku1', 1]], { channel, ...(nodes ? { nodes: [...nodes] } : {}) })) ===
  'stock.insufficient';

describe('a stop of a SKU', () => {
  it('refuses the very next hold in another replica, and sells again once it is lifted', async () => {
    await stop({});
    expect([await refused('a'), await atp()]).toEqual([true, 0]);
    await stop({ mode: 'none' });
    expect([await refused('b'), await atp()]).toEqual([false, 14]);
  });

  it.each<[string, Partial<Stop>, number, number]>([
    ['of a node', { node: 'n1' }, 5, 5],
    ['of a channel', { channel: 'web' }, 0, 15],
    ['of a channel at a node', { channel: 'web', node: 'n2' }, 10, 15],
    ['that is over', { until: '2020-01-01T00:00:00Z' }, 15, 15],
    ['that is over one day', { until: '2099-01-01T00:00:00Z' }, 0, 0],
  ])('%s', async (_, change, web, pos) => {
    await stop(change);
    expect([await atp('web'), await atp('pos')]).toEqual([web, pos]);
  });

  it('is set once, however often it is told, and listed until it is lifted', async () => {
    const first = done(await engine.putStops(SPEC, { stops: [{ sku: 'sku1', node: 'n1', mode: 'drain' }] }));
    const again = done(await other.putStops(SPEC, { stops: [{ sku: 'sku1', node: 'n1', mode: 'drain' }] }));
    expect(again).toEqual(first);
    await stop({ sku: 'sku2', channel: 'pos' });
    const page = await reads.stops({ limit: 1 });
    expect(page.items).toEqual([{ sku: 'sku1', node: 'n1', mode: 'drain', since: expect.any(String) }]);
    expect((await reads.stops({ limit: 1, cursor: page.nextCursor ?? '' })).items).toMatchObject([{ sku: 'sku2' }]);
    await stop({ node: 'n1', mode: 'none' });
    expect((await reads.stops({ sku: 'sku1', limit: 9 })).items).toEqual([]);
  });

  it('is told with all stops that name the SKU, and as a cause that moves no unit', async () => {
    await stop({ sku: 'sku2', node: 'n1' }, { sku: 'sku2', channel: 'pos', mode: 'drain' });
    const [fact] = (await pool.dataSource.query(
      `SELECT data FROM outbox WHERE subject = 'onepool.stock.sku.changed.v1' ORDER BY id DESC LIMIT 1`,
    )) as { data: object }[];
    expect(fact?.data).toMatchObject({
      rows: [],
      stops: [
        { node: 'n1', mode: 'stop' },
        { channel: 'pos', mode: 'drain' },
      ],
      causes: [{ kind: 'stop' }],
    });
  });

  it('of several told together each holds, the last one where they are for the same', async () => {
    await stop({ node: 'n1' }, { sku: 'sku2' }, { node: 'n1', mode: 'none' }, { node: 'n2' });
    expect(await atp()).toBe(10);
    expect((await reads.stops({ limit: 9 })).items).toMatchObject([{ sku: 'sku1', node: 'n2' }, { sku: 'sku2' }]);
  });

  it('leaves promises alone: they may still be confirmed and shipped', async () => {
    const { id } = done(await hold(engine, 'before', [['sku1', 3]], { nodes: ['n1'] }));
    await stop({});
    done(await act(other, id, 'confirm', {}));
    expect(unitsOf(done(await act(engine, id, 'fulfil', {})), 'fulfilled')).toBe(3);
  });

  it('is never sold through, however many buyers ask while it is set', async () => {
    const holds = numbered('r', 30).map((id, place) => hold(place % 2 === 0 ? engine : other, id, [['sku1', 1]]));
    await stop({});
    const after = await Promise.all(numbered('late', 10).map((id) => hold(other, id, [['sku1', 1]])));
    expect(after.map(codeOf)).toEqual(after.map(() => 'stock.insufficient'));
    expect((await Promise.all(holds)).filter(({ ok }) => ok).length).toBeLessThanOrEqual(15);
  });

  it.each([
    ['node.forbidden', { nodes: new Set(['n2']), channels: 'all' }, { node: 'n1' }],
    ['node.forbidden', { nodes: new Set(['n1']), channels: 'all' }, {}],
    ['channel.forbidden', { nodes: 'all', channels: new Set(['pos']) }, { channel: 'web' }],
    ['channel.forbidden', { nodes: new Set(['n1']), channels: new Set(['web']) }, { node: 'n1' }],
    [null, { nodes: new Set(['n1']), channels: 'all' }, { node: 'n1' }],
    [null, { nodes: 'all', channels: new Set(['web']) }, { channel: 'web' }],
    ['node.unknown', {}, { node: 'none' }],
    ['channel.unknown', {}, { channel: 'none' }],
    ['sku.unknown', {}, { sku: 'none' }],
  ] as const)('is answered %s for a key with %j that says %j', async (code, limits, change) => {
    const asker = { ...SPEC, ...limits };
    expect(codeOf(await engine.putStops(asker, { stops: [{ sku: 'sku1', mode: 'stop', ...change }] }))).toBe(code);
  });
});

describe('a stop of nodes and channels', () => {
  it.each([
    ['a node', { nodes: ['n1'] }, 5, 5],
    ['a channel', { nodes: 'all', channels: ['web'] }, 0, 15],
    ['a channel at nodes', { nodes: ['n1', 'n2'], channels: ['pos'] }, 15, 0],
    ['no node', { nodes: [] }, 15, 15],
    ['all that there is', { nodes: 'all' }, 0, 0],
  ] as const)('%s: from the next decision on, in every replica, until it is lifted', async (_, change, web, pos) => {
    const rule = { nodes: change.nodes === 'all' ? ('all' as const) : [...change.nodes] };
    const channels = 'channels' in change ? { channels: [...change.channels] } : {};
    await pool.catalog.putStopRules([{ rule: 'r', mode: 'stop', ...rule, ...channels }]);
    expect([await atp('web'), await atp('pos')]).toEqual([web, pos]);
    expect(await refused('a')).toBe(web === 0);
    await pool.catalog.putStopRules([{ rule: 'r', mode: 'none' }]);
    expect(await refused('b', 'pos')).toBe(false);
  });

  it('leaves what is promised there, and a pickup there is refused', async () => {
    const { id } = done(await hold(engine, 'before', [['sku1', 2]], { nodes: ['n1'] }));
    await pool.catalog.putStopRules([{ rule: 'stocktaking', mode: 'stop', nodes: ['n1'] }]);
    expect(await refused('pickup', 'web', ['n1'])).toBe(true);
    expect(backedBy(done(await hold(other, 'shipped', [['sku1', 1]])))).toEqual({ n2: 1 });
    expect(backedBy(done(await act(other, id, 'confirm', {})), 'confirmed')).toEqual({ n1: 2 });
  });
});
