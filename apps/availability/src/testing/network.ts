/** A small network for the specs of the edges, built through the API. */
import { expect } from '@jest/globals';
import type { MovementsResult } from '@onepool/contracts';
import { type AppFixture, eventually } from './app-fixture.ts';

export const NODES = ['wh-1', 'wh-2', 'store-1'] as const;
export type NodeName = (typeof NODES)[number];

/** Nodes `wh-1`, `wh-2` and `store-1`; channel `web` sells from all of them, `pos` from stores only. */
export async function putNetwork(app: AppFixture, skus: readonly string[]): Promise<void> {
  const nodes = [
    { node: 'wh-1', type: 'warehouse', lat: 41.9, lng: -87.6, name: 'Chicago' },
    { node: 'wh-2', type: 'warehouse', lat: 34.1, lng: -118.2 },
    { node: 'store-1', type: 'store', lat: 40.7, lng: -74, timeZone: 'America/New_York' },
  ];
  const channels = [
    { channel: 'web', type: 'web', nodes: 'all' },
    { channel: 'pos', type: 'pos', nodeTypes: ['store'], nodes: 'all' },
  ];
  expect(await app.http('putNodes', { body: { nodes } })).toMatchObject({ status: 200, body: { applied: 3 } });
  expect(await app.http('putChannels', { body: { channels } })).toMatchObject({ status: 200, body: { applied: 2 } });
  const body = { skus: skus.map((sku) => ({ sku })) };
  expect(await app.http('putSkus', { body })).toMatchObject({ status: 200, body: { applied: skus.length } });
  // What ATP is answered from may be a quarter of a second old, and on a quick machine the next question comes sooner.
  await eventually(async () => {
    const { status } = await app.http('queryAtp', { body: { channel: 'web', skus: skus.slice(0, 1) } });
    return status === 200 ? true : undefined;
  });
}

let receipts = 0;

/** Receives units by node and answers the SKU's version after it. */
export async function receive(
  app: AppFixture,
  sku: string,
  units: Partial<Readonly<Record<NodeName, number>>>,
): Promise<number> {
  const movements = Object.entries(units).map(([node, quantity]) => ({ type: 'receipt', sku, node, quantity }));
  const { status, body } = await app.http('recordMovements', {
    body: { id: `receipt-${receipts++}`, source: 'wms', movements },
  });
  expect(status).toBe(201);
  return (body as MovementsResult).skus[0]?.version ?? 0;
}
