/** Moves of many reservations as callers meet them, over HTTP and NATS. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AllocateResult, Reservation } from '@onepool/contracts';
import { problemOf } from '../testing/answer.ts';
import { type Answer, type AppFixture, createAppFixture } from '../testing/app-fixture.ts';
import { putNetwork, receive } from '../testing/network.ts';

let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
  await putNetwork(
    app,
    Array.from({ length: 30 }, (_, index) => `sku-${index}`),
  );
});
afterAll(() => app.close());

let used = 0;
/** A SKU with orders of one unit each at these nodes, which have no other units; their ids are the SKU and the node. */
async function ordersAt(...nodes: string[]): Promise<string> {
  const sku = `sku-${used++}`;
  for (const node of nodes) {
    await receive(app, sku, { [node]: 1 });
    const id = `${sku}.${node}`;
    await app.http('hold', { body: { id, channel: 'web', lines: [{ sku, quantity: 1 }] } });
    await app.http('confirm', { params: { id }, body: { commandId: `${id}-paid` } });
  }
  return sku;
}

const moving = (sku: string, from: string, to: string, more: object = {}): object => ({
  id: `${sku}.${from}`,
  expectedVersion: 2,
  moves: [{ sku, quantity: 1, from: { node: from }, to: { node: to } }],
  ...more,
});
const bodyOf = (commandId: string, groups: object[][], more: object = {}) => ({
  commandId,
  groups: groups.map((reservations) => ({ reservations })),
  ...more,
});
/** Codes of refused groups, and versions of the others' reservations. */
const outcomesOf = ({ body }: Answer): unknown[] =>
  (body as AllocateResult).groups.map((group) =>
    'problem' in group ? group.problem.code : group.reservations.map(({ version }) => version),
  );

async function nodesOf(id: string): Promise<(string | null)[]> {
  const { lines } = (await app.http('getReservation', { params: { id } })).body as Reservation;
  return lines.flatMap(({ backings }) => backings).flatMap(({ node, confirmed }) => (confirmed > 0 ? [node] : []));
}

describe.each([
  ['HTTP', 'http'],
  ['NATS', 'rpc'],
] as const)('an allocation over %s', (_, edge) => {
  it('swaps two orders with nothing free, and answers the same when it is asked again over the other edge', async () => {
    const sku = await ordersAt('wh-1', 'wh-2');
    const body = bodyOf(`${sku}-swap`, [[moving(sku, 'wh-1', 'wh-2'), moving(sku, 'wh-2', 'wh-1')]]);
    const first = await app[edge]('allocate', { body });
    expect(outcomesOf(first)).toEqual([[3, 3]]);
    expect((await app[edge === 'http' ? 'rpc' : 'http']('allocate', { body })).body).toEqual(first.body);
    expect([await nodesOf(`${sku}.wh-1`), await nodesOf(`${sku}.wh-2`)]).toEqual([['wh-2'], ['wh-1']]);
  });

  it('answers each group by itself, with the problem document of one that is refused', async () => {
    const sku = await ordersAt('wh-1', 'wh-2', 'store-1');
    const body = bodyOf(`${sku}-move`, [
      [moving(sku, 'wh-1', 'store-1')],
      [moving(sku, 'wh-2', 'store-1'), moving(sku, 'store-1', 'wh-2')],
    ]);
    const answer = await app[edge]('allocate', { body });
    expect(answer.status).toBe(200);
    expect(outcomesOf(answer)).toEqual(['stock.insufficient', [3, 3]]);
    expect((answer.body as AllocateResult).groups[0]).toEqual({
      problem: {
        type: 'https://onepool.dev/problems/stock.insufficient',
        title: expect.any(String),
        status: 409,
        code: 'stock.insufficient',
        retryable: expect.any(Boolean),
        shortages: [{ line: '1', sku, requested: 1, atp: 0 }],
        reservation: 0,
      },
    });
  });

  it('is refused whole for a body that its id does not stand for', async () => {
    const sku = await ordersAt('wh-1', 'wh-2');
    const body = bodyOf(`${sku}-key`, [[moving(sku, 'wh-1', 'wh-1')]]);
    expect(outcomesOf(await app[edge]('allocate', { body }))).toEqual([[3]]);
    const other = bodyOf(`${sku}-key`, [[moving(sku, 'wh-1', 'wh-1')], [moving(sku, 'wh-2', 'wh-2')]]);
    expect(problemOf(await app[edge]('allocate', { body: other }))).toMatchObject({ code: 'idempotency.mismatch' });
  });

  it('is refused whole with more reservations than one request may have', async () => {
    const sku = await ordersAt('wh-1');
    const many = Array.from({ length: 251 }, () => moving(sku, 'wh-1', 'wh-1'));
    const answer = await app[edge]('allocate', { body: bodyOf(`${sku}-many`, [many, many]) });
    expect(problemOf(answer)).toMatchObject({ status: 422, code: 'allocation.too_large' });
    expect(answer.body).toMatchObject({ reservations: 502, limits: { reservations: 500 } });
    const group = Array.from({ length: 501 }, () => moving(sku, 'wh-1', 'wh-1'));
    const inOne = await app[edge]('allocate', { body: bodyOf(`${sku}-group`, [group]) });
    expect(problemOf(inOne)).toMatchObject({ code: 'request.invalid', errors: ['out_of_range'] });
  });

  it('overrides what is kept back for whoever has the scope for that, and for nobody else', async () => {
    const sku = await ordersAt('wh-1');
    await receive(app, sku, { 'wh-2': 1 });
    const thresholds = [{ scope: 'node', node: 'wh-2', sku, quantity: 5 }];
    expect((await app.http('putThresholds', { body: { thresholds } })).status).toBe(200);
    const groups = [[moving(sku, 'wh-1', 'wh-2', { owner: app.principal })]];
    const key = await app.makeKey('router', ['all', 'reservations:any']);
    const plain = await app[edge]('allocate', { body: bodyOf(`${sku}-plain`, groups), key });
    expect(outcomesOf(plain)).toEqual(['stock.insufficient']);
    const body = bodyOf(`${sku}-sold`, groups, { override: 'sold' });
    expect(problemOf(await app[edge]('allocate', { body, key }))).toMatchObject({
      status: 403,
      code: 'auth.forbidden',
    });
    const scoped = await app.makeKey('router', ['all', 'reservations:any', 'stock:override']);
    expect(outcomesOf(await app[edge]('allocate', { body, key: scoped }))).toEqual([[3]]);
  });

  it('moves what others hold only with the scope for that', async () => {
    const sku = await ordersAt('wh-1');
    const groups = [[moving(sku, 'wh-1', 'wh-1')], [moving(sku, 'wh-1', 'wh-1', { owner: app.principal })]];
    const key = await app.makeKey('stranger', ['all']);
    const body = bodyOf(`${sku}-theirs`, groups);
    expect(problemOf(await app[edge]('allocate', { body, key }))).toMatchObject({
      status: 403,
      code: 'auth.forbidden',
    });
    const own = bodyOf(`${sku}-own`, groups.slice(0, 1));
    expect(outcomesOf(await app[edge]('allocate', { body: own, key }))).toEqual(['reservation.unknown']);
    const anybodys = await app.makeKey('router', ['all', 'reservations:any']);
    expect(outcomesOf(await app[edge]('allocate', { body, key: anybodys }))).toEqual(['reservation.unknown', [3]]);
  });

  it('moves nothing to or from a node beyond the limits of its key', async () => {
    const sku = await ordersAt('wh-1', 'wh-2', 'store-1');
    const ofOwner = { owner: app.principal };
    const key = await app.makeKey('warehouses', ['all', 'reservations:any'], { nodes: ['wh-1', 'wh-2'] });
    const body = bodyOf(`${sku}-limited`, [
      [moving(sku, 'wh-1', 'store-1', ofOwner)],
      [moving(sku, 'store-1', 'wh-1', ofOwner)],
      [moving(sku, 'wh-1', 'wh-2', ofOwner), moving(sku, 'wh-2', 'wh-1', ofOwner)],
    ]);
    const answer = await app[edge]('allocate', { body, key });
    expect(outcomesOf(answer)).toEqual(['node.forbidden', 'node.forbidden', [3, 3]]);
    expect((answer.body as AllocateResult).groups[0]).toMatchObject({ problem: { node: 'store-1', status: 403 } });
  });
});
