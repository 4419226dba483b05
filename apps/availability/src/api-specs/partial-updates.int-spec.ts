import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { problemOf } from '../testing/answer.ts';
import { type Answer, type AppFixture, type OperationId, createAppFixture } from '../testing/app-fixture.ts';

const CLOSED_SHOP = {
  node: 'shop',
  type: 'store',
  name: 'High Street',
  lat: 51.5,
  lng: -0.1,
  timeZone: 'Europe/London',
  fulfilmentTypes: 'all',
  activeTo: '2026-01-01T00:00:00.000Z',
};
const PICKUP = { channel: 'pickup', type: 'web', name: 'Pickup', nodeTypes: ['store'], nodes: ['shop'] };
const MUG = { sku: 'mug', title: 'Mug', weightGrams: 340, category: 'kitchen' };

let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
});
afterAll(() => app.close());
beforeEach(async () => {
  const empty = { gln: null, dailyCapacity: null, activeFrom: null };
  await app.http('putNodes', { body: { nodes: [{ ...CLOSED_SHOP, ...empty }] } });
  await app.http('putChannels', { body: { channels: [PICKUP] } });
  await app.http('putSkus', { body: { skus: [{ ...MUG, gtin: null }] } });
});

const first = async (list: OperationId): Promise<unknown> =>
  ((await app.http(list)).body as { items: unknown[] }).items[0];
const csv = (id: OperationId, body: string): Promise<Answer> =>
  app.http(id, { body, headers: { 'content-type': 'text/csv' } });

describe('a file', () => {
  it('leaves what it has no column for: a closed shop stays closed, a channel keeps its nodes', async () => {
    await csv('importNodes', 'node,name,type\nshop,Main Street,store\n');
    expect(await first('listNodes')).toEqual({ ...CLOSED_SHOP, name: 'Main Street' });
    await csv('importChannels', 'channel,name,type\npickup,Click and collect,web\n');
    expect(await first('listChannels')).toEqual({ ...PICKUP, name: 'Click and collect' });
    await csv('importSkus', 'sku,title\nmug,Cup\n');
    expect(await first('listSkus')).toEqual({ ...MUG, title: 'Cup' });
  });

  it('clears what it has an empty cell for; a list becomes empty, and a time zone UTC', async () => {
    await csv('importNodes', 'node,name,lat,lng,timeZone,activeTo\nshop,,,,,\n');
    expect(await first('listNodes')).toEqual({
      node: 'shop',
      type: 'store',
      timeZone: 'UTC',
      fulfilmentTypes: 'all',
    });
    await csv('importChannels', 'channel,name,nodeTypes,nodes\npickup,,,\n');
    expect(await first('listChannels')).toEqual({ channel: 'pickup', type: 'web', nodeTypes: [], nodes: [] });
    await csv('importSkus', 'sku,title,weightGrams,category\nmug,,,\n');
    expect(await first('listSkus')).toEqual({ sku: 'mug' });
  });

  it.each([
    ['importNodes', 'node,type\nshop,\n', 'type: cannot be cleared; without the column it stays as it is'],
    [
      'importChannels',
      'channel,type,nodes\nnew,,all\n',
      'type: cannot be cleared; without the column it stays as it is',
    ],
    ['importChannels', 'channel,type\nnew,web\n', 'nodes: a new channel needs its nodes: all, or a list of them'],
    ['importNodes', 'node,name\nnew,New\n', 'type: a new node needs its type'],
  ] as const)('%s of %j is refused with words that help', async (id, file, message) => {
    expect((await csv(id, file)).body).toMatchObject({ code: 'import.rejected', errors: [{ line: 2, message }] });
  });
});

describe.each(['http', 'rpc'] as const)('a change over %s', (edge) => {
  it('leaves members that are absent, and clears those that are null', async () => {
    await app[edge]('putNodes', { body: { nodes: [{ node: 'shop', name: null }] } });
    const { name: _name, ...unnamed } = CLOSED_SHOP;
    expect(await first('listNodes')).toEqual(unnamed);
    await app[edge]('putChannels', { body: { channels: [{ channel: 'pickup', nodes: [] }] } });
    expect(await first('listChannels')).toEqual({ ...PICKUP, nodes: [] });
    await app[edge]('putChannels', { body: { channels: [{ channel: 'pickup', nodes: 'all', name: null }] } });
    expect(await first('listChannels')).toEqual({ channel: 'pickup', type: 'web', nodeTypes: ['store'], nodes: 'all' });
    await app[edge]('putSkus', {
      body: {
        skus: [
          { sku: 'mug', category: null },
          { sku: 'mug', title: 'Cup' },
        ],
      },
    });
    expect(await first('listSkus')).toEqual({ sku: 'mug', title: 'Cup', weightGrams: 340 });
  });

  it.each([
    ['a type that is null', 'putNodes', { nodes: [{ node: 'shop', type: null }] }, '/nodes/0/type'],
    ['nodes that are null', 'putChannels', { channels: [{ channel: 'pickup', nodes: null }] }, '/channels/0/nodes'],
    [
      'node types that are null',
      'putChannels',
      { channels: [{ channel: 'pickup', nodeTypes: null }] },
      '/channels/0/nodeTypes',
    ],
    [
      'a new channel without nodes',
      'putChannels',
      { channels: [PICKUP, { channel: 'new', type: 'web' }] },
      '/channels/1/nodes',
    ],
    [
      'a new node without a type',
      'putNodes',
      { nodes: [{ node: 'shop', name: 'x' }, { node: 'new' }] },
      '/nodes/1/type',
    ],
  ] as const)('is refused whole with %s', async (_what, id, body, path) => {
    const answer = await app[edge](id, { body });
    expect(problemOf(answer).code).toBe('request.invalid');
    expect(answer.body).toMatchObject({ errors: [{ path }] });
    expect(await first('listNodes')).toEqual(CLOSED_SHOP);
    expect(await first('listChannels')).toEqual(PICKUP);
  });
});

it('two changes of one row at the same time both stay', async () => {
  for (let round = 1; round <= 20; round += 1) {
    const sku = `race-${round}`;
    const put = (change: object) => app.http('putSkus', { body: { skus: [{ sku, ...change }] } });
    await Promise.all([put({ title: 'T' }), put({ category: 'C' }), put({ weightGrams: 1 })]);
    const { items } = (await app.http('listSkus', { query: { limit: 1_000 } })).body as { items: { sku: string }[] };
    expect(items.find((item) => item.sku === sku)).toEqual({ sku, title: 'T', category: 'C', weightGrams: 1 });
  }
});
