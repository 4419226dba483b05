/** Transfers as callers meet them, over HTTP and NATS. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Inbound, ShipManyResult, ShipResult } from '@onepool/contracts';
import { problemOf } from '../testing/answer.ts';
import { type AppFixture, createAppFixture } from '../testing/app-fixture.ts';
import { putNetwork, receive } from '../testing/network.ts';

let app: AppFixture;
/** May record stock, and nothing else; and the same at one node only. */
let wms: string;
let storeWms: string;
beforeAll(async () => {
  app = await createAppFixture();
  await putNetwork(app, ['a', 'b']);
  await receive(app, 'a', { 'wh-1': 900, 'store-1': 50 });
  await receive(app, 'b', { 'wh-1': 900 });
  wms = await app.makeKey('wms', ['stock:write', 'stock:read']);
  storeWms = await app.makeKey('store-wms', ['stock:write', 'stock:read'], { nodes: ['store-1'] });
});
afterAll(() => app.close());

let count = 0;
const newId = (kind: string): string => `${kind}-${(count += 1)}`;
const legOf = (id: string, more: object = {}, line: object = {}) => ({
  ...{ id, source: 'wms', transfer: `tr-${id}`, from: 'wh-1' },
  lines: [{ line: '1', sku: 'a', to: 'wh-2', quantity: 3, ...line }],
  ...more,
});

/** A confirmed order of units of `a` at `wh-1`, at work for a fulfilment of the same id. */
async function orderOf(quantity: number): Promise<string> {
  const id = newId('order');
  const lines = [{ sku: 'a', quantity, nodes: ['wh-1'] }];
  await app.http('hold', { body: { id, channel: 'web', lines } });
  await app.http('confirm', { params: { id }, body: { commandId: `${id}-paid` } });
  const moves = [{ sku: 'a', quantity, from: { node: 'wh-1' }, to: { node: 'wh-1', fulfilment: id } }];
  const groups = [{ reservations: [{ id, expectedVersion: 2, moves }] }];
  await app.http('allocate', { body: { commandId: `${id}-pinned`, groups } });
  return id;
}

describe.each([
  ['HTTP', 'http', 'rpc'],
  ['NATS', 'rpc', 'http'],
] as const)('a transfer over %s', (_, edge, otherEdge) => {
  it('leaves, is read while it is on its way, and arrives', async () => {
    const order = await orderOf(1);
    const id = newId('leg');
    const riders = [{ reservation: order, fulfilment: order, quantity: 1 }];
    const body = legOf(id, {}, { quantity: 5, dueAt: '2099-01-01T00:00:00Z', riders });
    const shipped = await app[edge]('ship', { body });
    expect(shipped.status).toBe(201);
    expect((shipped.body as ShipResult).lines).toEqual([
      { line: '1', sent: [{ state: 'available', quantity: 5 }], riding: 1, arrived: 0, late: false },
    ]);
    expect((await app[otherEdge]('ship', { body })).body).toEqual(shipped.body);
    const read = await app[edge]('getInbound', { params: { id: `tr-${id}` } });
    expect((read.body as Inbound).lines).toEqual([
      {
        ...{ inbound: `tr-${id}`, owner: app.principal, kind: 'transfer', line: '1', sku: 'a' },
        ...{ node: 'wh-2', from: 'wh-1', quantity: 5, received: 0, lost: 0, promised: 1 },
        ...{ dueAt: '2099-01-01T00:00:00.000Z', closed: false },
      },
    ]);
    const grn = { id: newId('grn'), source: 'wms', inbound: `tr-${id}`, owner: app.principal };
    const received = await app[edge]('receive', { body: { ...grn, lines: [{ line: '1', quantity: 5 }] }, key: wms });
    expect(received.body).toMatchObject({ lines: [{ over: 0, lost: 0, late: false }] });
    const { body: reservation } = await app[edge]('getReservation', { params: { id: order } });
    expect(reservation).toMatchObject({
      lines: [{ backings: expect.arrayContaining([expect.objectContaining({ node: 'wh-2', confirmed: 1 })]) }],
    });
  });

  it('needs work at the node that it leaves, and no other', async () => {
    const to = { to: 'store-1' };
    expect(problemOf(await app[edge]('ship', { body: legOf(newId('leg'), {}, to), key: storeWms }))).toMatchObject({
      ...{ status: 403, code: 'node.forbidden' },
    });
    const body = legOf(newId('leg'), { from: 'store-1' });
    expect((await app[edge]('ship', { body, key: storeWms })).body).toMatchObject({ lines: [{ line: '1' }] });
  });

  it('carries units of reservations only for whoever may write these, and another’s only for whoever may name them', async () => {
    const order = await orderOf(1);
    const shop = await app.makeKey('shop', ['stock:write', 'reservations:write']);
    const rider = { owner: app.principal, reservation: order, fulfilment: order, quantity: 1 };
    for (const key of [wms, shop]) {
      const body = legOf(newId('leg'), {}, { riders: [rider] });
      expect(problemOf(await app[edge]('ship', { body, key }))).toMatchObject({ status: 403, code: 'auth.forbidden' });
    }
    const router = await app.makeKey('router', ['stock:write', 'reservations:write', 'reservations:any']);
    const body = legOf(newId('leg'), {}, { riders: [rider] });
    expect((await app[edge]('ship', { body, key: router })).body).toMatchObject({ lines: [{ riding: 1 }] });
  });

  it.each([
    ['inbound.line_differs', 409, (id: string) => legOf(`${id}-2`, { transfer: `tr-${id}` }, { to: 'store-1' })],
    ['idempotency.mismatch', 409, (id: string) => legOf(id, {}, { quantity: 4 })],
    ['movement.exceeds_stock', 409, (id: string) => legOf(`${id}-2`, {}, { state: 'damaged' })],
    ['transfer.same_node', 422, (id: string) => legOf(`${id}-2`, {}, { to: 'wh-1' })],
    ['sku.unknown', 404, (id: string) => legOf(`${id}-2`, {}, { sku: 'none' })],
    [
      'reservation.unknown',
      404,
      (id: string) => legOf(`${id}-2`, {}, { riders: [{ reservation: 'none', fulfilment: 'F', quantity: 1 }] }),
    ],
  ])('is refused with %s', async (code, status, bodyOf) => {
    const id = newId('leg');
    await app[edge]('ship', { body: legOf(id) });
    const refused = await app[edge]('ship', { body: bodyOf(id) });
    expect(problemOf(refused)).toMatchObject({ code, status });
  });

  it.each<[string, object]>([
    ['no lines', { lines: [] }],
    ['more lines than one request may have', { lines: Array.from({ length: 2_001 }, () => legOf('x').lines[0]) }],
    ['no units', { lines: [{ ...legOf('x').lines[0], quantity: 0 }] }],
    ['a state in which nothing travels', { lines: [{ ...legOf('x').lines[0], state: 'safety_stock' }] }],
    ['a member that it does not know', { lines: [{ ...legOf('x').lines[0], node: 'wh-2' }] }],
  ])('is invalid with %s', async (_name, more) => {
    const body = legOf(newId('leg'), more);
    expect(problemOf(await app[edge]('ship', { body }))).toMatchObject({ code: 'request.invalid' });
  });

  it('is shipped by many legs in one request, each answered by itself', async () => {
    const [first, second] = [newId('leg'), newId('leg')];
    const items = [
      legOf(first),
      legOf(second, {}, { sku: 'none' }),
      legOf(newId('leg'), {}, { sku: 'b', quantity: 1, riders: [{ reservation: 'r', fulfilment: 'F', quantity: 1 }] }),
    ];
    const { results } = (await app[edge]('shipMany', { body: { items }, key: wms })).body as ShipManyResult;
    expect(results).toMatchObject([
      { id: first, lines: [{ line: '1' }] },
      { problem: { code: 'sku.unknown' } },
      { problem: { code: 'auth.forbidden' } },
    ]);
    const lines = Array.from({ length: 1_001 }, (_line, place) => ({
      ...legOf('x').lines[0],
      line: String(place + 1),
    }));
    const large = { items: [legOf(newId('leg'), { lines }), legOf(newId('leg'), { lines })] };
    expect(problemOf(await app[edge]('shipMany', { body: large }))).toMatchObject({ code: 'bulk.too_large' });
    const many = { items: Array.from({ length: 501 }, () => legOf(newId('leg'))) };
    expect(problemOf(await app[edge]('shipMany', { body: many }))).toMatchObject({ code: 'request.invalid' });
  });
});
