import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type PoolFixture, createPoolFixture } from '../testing/pool-fixture.ts';

/** Every replica reads all rules again when it steps, so that a change of names must not move it. */
describe('the epoch of selling rules', () => {
  let pool: PoolFixture;
  beforeAll(async () => {
    pool = await createPoolFixture(2, 1);
  });
  afterAll(() => pool.close());

  const epoch = async (): Promise<number> => {
    const rows: { epoch: number }[] = await pool.dataSource.query('SELECT epoch::int FROM rules_epoch');
    return rows[0]?.epoch ?? Number.NaN;
  };
  type Change = (catalog: PoolFixture['catalog']) => Promise<{ ok: boolean }>;
  const steps = async (change: Change): Promise<number> => {
    const before = await epoch();
    expect(await change(pool.catalog)).toMatchObject({ ok: true });
    return (await epoch()) - before;
  };

  it.each<[string, Change]>([
    ['a new node', (catalog) => catalog.putNodes([{ node: 'new', type: 'store' }])],
    ['another type of node', (catalog) => catalog.putNodes([{ node: 'new', type: 'popup' }])],
    ['another place', (catalog) => catalog.putNodes([{ node: 'new', lat: 1, lng: 2 }])],
    ['an opening', (catalog) => catalog.putNodes([{ node: 'new', activeFrom: '2026-01-01T00:00:00Z' }])],
    ['a closure', (catalog) => catalog.putNodes([{ node: 'new', activeTo: '2026-02-01T00:00:00Z' }])],
    ['a new channel', (catalog) => catalog.putChannels([{ channel: 'new', type: 'web', nodes: 'all' }])],
    ['other nodes', (catalog) => catalog.putChannels([{ channel: 'new', nodes: ['n1'] }])],
    ['other types of node', (catalog) => catalog.putChannels([{ channel: 'new', nodeTypes: [] }])],
    ['a threshold', (catalog) => catalog.putThresholds([{ scope: 'node', node: 'n1', quantity: 2 }])],
    ['another quantity', (catalog) => catalog.putThresholds([{ scope: 'node', node: 'n1', quantity: 3 }])],
    ['a threshold less', (catalog) => catalog.putThresholds([{ scope: 'node', node: 'n1', quantity: 0 }])],
  ])('steps once for %s, and not when that is told again', async (_what, change) => {
    expect(await steps(change)).toBe(1);
    expect(await steps(change)).toBe(0);
  });

  it.each<[string, Change]>([
    ['SKUs', (catalog) => catalog.putSkus([{ sku: 'new', title: 'New' }])],
    ['the name of a node', (catalog) => catalog.putNodes([{ node: 'n1', name: 'One' }])],
    ['its capacity', (catalog) => catalog.putNodes([{ node: 'n1', dailyCapacity: 7, timeZone: 'Europe/Paris' }])],
    ['the name of a channel', (catalog) => catalog.putChannels([{ channel: 'web', name: 'Web' }])],
  ])('stays for %s', async (_what, change) => {
    expect(await steps(change)).toBe(0);
  });

  it('stays, and so do all rows, where one change of many is refused', async () => {
    const before = await epoch();
    const changes = [{ node: 'n1', activeTo: '2026-02-01T00:00:00Z' }, { node: 'nameless' }];
    expect(await pool.catalog.putNodes(changes)).toMatchObject({ ok: false, faults: [{ index: 1, member: 'type' }] });
    expect(await epoch()).toBe(before);
    expect((await pool.catalog.listNodes(1)).items[0]).not.toHaveProperty('activeTo');
  });
});
