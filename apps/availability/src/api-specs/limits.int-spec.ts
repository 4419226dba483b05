/** Whose reservation it is, who may act on it, and what a key that is limited to nodes or channels may do. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Reservation } from '@onepool/contracts';
import { problemOf } from '../testing/answer.ts';
import { type AppFixture, createAppFixture, eventually } from '../testing/app-fixture.ts';
import { putNetwork, receive } from '../testing/network.ts';
import { createAvailabilityApp } from '../availability-app.ts';

let app: AppFixture;
let stranger: string;
let service: string;
let storeKey: string;
let posKey: string;
const edges = [['http'], ['rpc']] as const;
const forbidden = { status: 403, code: 'auth.forbidden', errors: [] };

beforeAll(async () => {
  app = await createAppFixture();
  await putNetwork(app, ['a', 'b']);
  await receive(app, 'a', { 'wh-1': 200, 'store-1': 100 });
  const all = ['all'];
  stranger = await app.makeKey('stranger', all);
  service = await app.makeKey('service', [...all, 'reservations:any']);
  storeKey = await app.makeKey('store', all, { nodes: ['store-1'] });
  posKey = await app.makeKey('till', all, { channels: ['pos'] });
});
afterAll(() => app.close());

let count = 0;
const newId = (): string => `r-${(count += 1)}`;
const bodyOf = (id: string, more: object = {}) => ({ id, channel: 'web', lines: [{ sku: 'a', quantity: 1 }], ...more });
async function held(more: object = {}, key = app.key): Promise<string> {
  const id = newId();
  expect((await app.http('hold', { body: bodyOf(id, more), key })).status).toBe(201);
  return id;
}

describe.each(edges)('a shop’s reservation, over %s', (edge) => {
  it('is confirmed and fulfilled by a service that may act for any owner, and the shop sees it', async () => {
    const id = await held();
    const owner = app.principal;
    const confirm = { params: { id }, body: { commandId: `c-${id}`, owner }, key: service };
    expect((await app[edge]('confirm', confirm)).body).toMatchObject({ owner, status: 'confirmed' });
    const fulfil = { params: { id }, body: { commandId: `f-${id}`, owner }, key: service };
    expect((await app[edge]('fulfil', fulfil)).body).toMatchObject({ owner, status: 'closed' });
    expect((await app[edge]('getReservation', { params: { id } })).body).toMatchObject({ owner, status: 'closed' });
    const seen = await app[edge]('getReservation', { params: { id }, query: { owner }, key: service });
    expect(seen.body).toMatchObject({ owner, status: 'closed' });
  });

  it('is refused to a stranger, in the same words whether it exists or not', async () => {
    const id = await held();
    const owner = app.principal;
    for (const named of [id, 'nothing']) {
      const body = { commandId: 'x', owner };
      expect(problemOf(await app[edge]('confirm', { params: { id: named }, body, key: stranger }))).toEqual(forbidden);
      expect(
        problemOf(await app[edge]('getReservation', { params: { id: named }, query: { owner }, key: stranger })),
      ).toEqual(forbidden);
    }
    expect(problemOf(await app[edge]('hold', { body: bodyOf(newId(), { owner }), key: stranger }))).toEqual(forbidden);
    const own = { params: { id }, body: { commandId: 'x' }, key: stranger };
    expect(problemOf(await app[edge]('confirm', own))).toMatchObject({ code: 'reservation.unknown' });
  });

  it('may be held by a service in the shop’s name; the id is the shop’s, and the idempotency the service’s', async () => {
    const [id, owner] = [newId(), app.principal];
    const asked = { body: bodyOf(id, { owner }), key: service };
    const first = await app[edge]('hold', asked);
    expect(first).toMatchObject({ status: 201, body: { id, owner } });
    expect((await app[edge]('hold', asked)).body).toEqual(first.body);
    expect(problemOf(await app[edge]('hold', { body: bodyOf(id) }))).toMatchObject({ code: 'reservation.taken' });
    const other = { body: bodyOf(id, { owner, expiresInSeconds: 60 }), key: service };
    expect(problemOf(await app[edge]('hold', other))).toMatchObject({ code: 'idempotency.mismatch' });
    expect((await app[edge]('release', { params: { id }, body: { commandId: `u-${id}` } })).status).toBe(200);
  });

  it('has commands of its own for each actor: the same command id of two is two commands', async () => {
    const [mine, theirs] = [await held(), await held()];
    const owner = app.principal;
    const commandId = `same-${mine}`;
    const body = (more = {}) => ({ commandId, ...more });
    expect((await app[edge]('confirm', { params: { id: mine }, body: body() })).status).toBe(200);
    expect((await app[edge]('confirm', { params: { id: theirs }, body: body({ owner }), key: service })).status).toBe(
      200,
    );
    const again = await app[edge]('confirm', { params: { id: theirs }, body: body() });
    expect(problemOf(again)).toMatchObject({ code: 'idempotency.mismatch' });
  });
});

describe.each(edges)('a key that is limited to a node, over %s', (edge) => {
  const confirmed = async (nodes: readonly string[]): Promise<string> => {
    const id = await held({ nodes, channel: 'web' });
    await app.http('confirm', { params: { id }, body: { commandId: `c-${id}` } });
    return id;
  };

  it('sells what lies elsewhere in its channel', async () => {
    const id = newId();
    const answer = await app[edge]('hold', { body: bodyOf(id, { nodes: ['wh-1'] }), key: storeKey });
    expect((answer.body as Reservation).lines[0]?.backings).toMatchObject([{ node: 'wh-1', held: 1 }]);
    const confirm = { params: { id }, body: { commandId: `c-${id}` }, key: storeKey };
    expect((await app[edge]('confirm', confirm)).status).toBe(200);
    expect((await app[edge]('getAtp', { params: { sku: 'a' }, query: { channel: 'web' }, key: storeKey })).status).toBe(
      200,
    );
  });

  it('hands over what lies there, and nothing of another node', async () => {
    const service = await app.makeKey('store-service', ['all', 'reservations:any'], { nodes: ['store-1'] });
    const owner = app.principal;
    const here = await confirmed(['store-1']);
    const there = await confirmed(['wh-1']);
    const fulfil = (id: string, more = {}) =>
      app[edge]('fulfil', { params: { id }, body: { commandId: `f-${id}`, owner, ...more }, key: service });
    expect((await fulfil(here)).status).toBe(200);
    expect(problemOf(await fulfil(there))).toMatchObject({ status: 403, code: 'node.forbidden' });
    const lines = [{ sku: 'a', node: 'wh-1', quantity: 1 }];
    expect(problemOf(await fulfil(there, { lines }))).toMatchObject({ code: 'node.forbidden' });
    const move = (from: string, to: string) => ({ sku: 'a', quantity: 1, from: { node: from }, to: { node: to } });
    const groupOf = (id: string, ...moves: object[]) => ({ reservations: [{ id, owner, expectedVersion: 2, moves }] });
    const own = await confirmed(['store-1']);
    const groups = [
      groupOf(there, move('wh-1', 'store-1')),
      groupOf(own, move('store-1', 'wh-1')),
      groupOf(own, move('store-1', 'store-1')),
    ];
    const moved = await app[edge]('allocate', { body: { commandId: `m-${there}`, groups }, key: service });
    const refused = { problem: expect.objectContaining({ code: 'node.forbidden', status: 403, node: 'wh-1' }) };
    expect(moved.body).toMatchObject({ groups: [refused, refused, { reservations: [{ id: own, version: 3 }] }] });
  });

  it('is not told the stored answer of work that it may not do, asked for in the same words', async () => {
    const key = await app.makeKey('narrowed', ['all']);
    const narrow = await app.makeKey('narrowed', ['all'], { nodes: ['store-1'] });
    const id = newId();
    await app.http('hold', { body: bodyOf(id, { nodes: ['wh-1'] }), key });
    await app.http('confirm', { params: { id }, body: { commandId: `c-${id}` }, key });
    const fulfil = { params: { id }, body: { commandId: `f-${id}` } };
    for (const _ of [1, 2]) expect((await app[edge]('fulfil', { ...fulfil, key })).status).toBe(200);
    expect(problemOf(await app[edge]('fulfil', { ...fulfil, key: narrow }))).toMatchObject({ code: 'node.forbidden' });
  });

  it.each([
    ['a sale', { type: 'sale', sku: 'a', node: 'wh-1', quantity: 1 }],
    ['a receipt', { type: 'receipt', sku: 'a', node: 'wh-1', quantity: 1 }],
    ['a transfer out', { type: 'transfer', sku: 'a', node: 'wh-1', toNode: 'store-1', quantity: 1 }],
    ['a transfer in', { type: 'transfer', sku: 'a', node: 'store-1', toNode: 'wh-1', quantity: 1 }],
  ])('records no movement at another: %s', async (_what, movement) => {
    const other = { type: 'receipt', sku: 'a', node: 'store-1', quantity: 1 };
    const body = { id: newId(), source: 'pos', movements: [other, movement] };
    expect(problemOf(await app[edge]('recordMovements', { body, key: storeKey }))).toMatchObject({
      code: 'node.forbidden',
    });
    const own = { id: newId(), source: 'pos', movements: [other] };
    expect((await app[edge]('recordMovements', { body: own, key: storeKey })).status).toBe(201);
  });
});

describe('a limited key', () => {
  it.each([
    ['putNodes', { nodes: [{ node: 'wh-1', type: 'warehouse' }] }],
    ['putSkus', { skus: [{ sku: 'a' }] }],
    ['putChannels', { channels: [{ channel: 'web', type: 'web' }] }],
    ['putThresholds', { thresholds: [{ scope: 'node', quantity: 1 }] }],
  ] as const)('changes nothing of the catalogue by %s, which is everybody’s', async (id, body) => {
    for (const key of [storeKey, posKey]) {
      expect(problemOf(await app.http(id, { body, key }))).toEqual(forbidden);
    }
  });
});

describe('a key that is limited to a node, with feeds', () => {
  const feed = (query: Record<string, string>) =>
    app.http('sendFeed', {
      query: {
        id: newId(),
        source: 'wms',
        mode: 'reset',
        measure: 'physical',
        capturedAt: new Date().toISOString(),
        ...query,
      },
      body: '{"sku":"b","node":"store-1","quantity":5}\n',
      headers: { 'content-type': 'application/x-ndjson' },
      key: storeKey,
    });

  it('counts its node, and only if it says so', async () => {
    expect(problemOf(await feed({}))).toMatchObject({ status: 403, code: 'node.forbidden' });
    expect(problemOf(await feed({ node: 'wh-1' }))).toMatchObject({ code: 'node.forbidden' });
    expect((await feed({ node: 'store-1', completeness: 'full' })).status).toBe(202);
  });

  it('sees no feed of another node, though its principal sent it', async () => {
    const key = await app.makeKey('store', ['all']);
    const query = {
      id: newId(),
      source: 'wms',
      mode: 'reset',
      measure: 'physical',
      capturedAt: new Date().toISOString(),
    };
    const headers = { 'content-type': 'application/x-ndjson' };
    const sent = await app.http('sendFeed', { query, body: '{"sku":"b","node":"wh-1","quantity":5}\n', headers, key });
    expect(sent.status).toBe(202);
    const params = { id: query.id };
    expect((await app.http('getFeed', { params, key })).status).toBe(200);
    for (const id of ['getFeed', 'listFeedRefusals'] as const) {
      expect(problemOf(await app.http(id, { params, key: storeKey }))).toMatchObject({ code: 'feed.unknown' });
    }
  });

  it('leaves the other nodes’ stock as it is, though its count is full', async () => {
    await eventually(async () => {
      const { body } = await app.http('getStock', { params: { sku: 'b' } });
      return (body as { rows: { node: string }[] }).rows.some(({ node }) => node === 'store-1') || undefined;
    });
    const { body } = await app.http('getStock', { params: { sku: 'a' } });
    const rows = (body as { rows: { node: string; onHand: number }[] }).rows;
    expect(rows.find(({ node }) => node === 'wh-1')?.onHand).toBeGreaterThan(0);
  });
});

describe.each(edges)('a key that is limited to a channel, over %s', (edge) => {
  it('sells there, and asks there what can be sold', async () => {
    await receive(app, 'a', { 'store-1': 10 });
    const pos = { channel: 'pos' };
    expect((await app[edge]('hold', { body: bodyOf(newId(), pos), key: posKey })).status).toBe(201);
    expect((await app[edge]('queryAtp', { body: { ...pos, skus: ['a'] }, key: posKey })).status).toBe(200);
    const web = { channel: 'web' };
    for (const answer of [
      await app[edge]('hold', { body: bodyOf(newId(), web), key: posKey }),
      await app[edge]('queryAtp', { body: { ...web, skus: ['a'] }, key: posKey }),
      await app[edge]('getAtp', { params: { sku: 'a' }, query: web, key: posKey }),
    ]) {
      expect(problemOf(answer)).toMatchObject({ status: 403, code: 'channel.forbidden' });
    }
  });

  it('sees and changes no promise of another channel, though it may act for any owner', async () => {
    const key = await app.makeKey('till-service', ['all', 'reservations:any'], { channels: ['pos'] });
    const [id, owner] = [await held(), app.principal];
    for (const verb of ['confirm', 'release', 'cancel'] as const) {
      const answer = await app[edge](verb, { params: { id }, body: { commandId: `${verb}-${id}`, owner }, key });
      expect(problemOf(answer)).toMatchObject({ code: 'channel.forbidden' });
    }
    const read = await app[edge]('getReservation', { params: { id }, query: { owner }, key });
    expect(problemOf(read)).toMatchObject({ code: 'channel.forbidden' });
  });
});

describe('a revoked key', () => {
  it('stops on every replica, over HTTP and NATS', async () => {
    const second = await createAvailabilityApp({ ...app.config, ONEPOOL_INSTANCE: 'availability-second' }, app.logger);
    await second.app.listen(0, '127.0.0.1');
    const origins = [app.origin, await second.app.getUrl()];
    const key = await app.makeKey('leaver', ['all']);
    const statusAt = async (origin: string) =>
      (await fetch(`${origin}/v1/skus`, { headers: { authorization: `Bearer ${key}` } })).status;
    for (const origin of origins) expect(await statusAt(origin)).toBe(200);
    const { id } = (await app.identity.keys()).find(({ name }) => name === 'leaver')!;
    await app.identity.revokeKey(id);
    for (const origin of origins) await eventually(async () => ((await statusAt(origin)) === 401 ? true : undefined));
    expect(problemOf(await app.rpc('getStock', { params: { sku: 'a' }, key }))).toMatchObject({ code: 'auth.invalid' });
    await second.close();
  });
});
