import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '@onepool/testing-servers';
import type { Surroundings } from '../contenders/contender.ts';
import { buildStale } from '../setting/build.ts';
import { PARTITION_COUNT, SCHEMA, fillDatabase, migrateByApp, withClient } from '../setting/database.ts';
import { OrderDesk } from './order-desk.ts';
import type { Order } from './order-desk.ts';
import { verifyOrders } from './verify-orders.ts';
import type { OrdersClaim } from './verify-orders.ts';

const OWNER = 'bench-orders';
const FILLING = { skus: 3, nodesPerSku: 2, unitsPerRow: 1 };

let database: Surroundings;
let drop: () => Promise<void>;
let desk: OrderDesk;
let claim: OrdersClaim;

/** Two SKUs are sold out; of the third, one order's node is at work, and one unit is free. */
beforeAll(async () => {
  await buildStale('@onepool/availability');
  const made = await createTestDatabase();
  drop = made.drop;
  database = { url: made.url, ownerUrl: made.ownerUrl, schema: SCHEMA, partitionCount: PARTITION_COUNT };
  await migrateByApp(database);
  await fillDatabase(database, FILLING);
  desk = new OrderDesk({ ...database, owner: OWNER, queues: 1 });
  const [a1, a2, b1, b2, alone] = (await desk.promise([1, 1, 2, 2, 3])) as [Order, Order, Order, Order, Order];
  const swapped = await desk.swap([
    [a1, a2],
    [b1, b2],
  ]);
  const orders = [...swapped.flat(), ...(await desk.submit([alone]))];
  expect(orders.map(({ version }) => version)).toEqual([3, 3, 3, 3, 3]);
  expect(orders.map(({ node }) => node)).toEqual([a2, a1, b2, b1, alone].map(({ node }) => node));
  claim = { owner: OWNER, orders, stockedSkus: FILLING.skus, unitsPerRow: FILLING.unitsPerRow, onHand: 6 };
});
afterAll(async () => {
  await desk.close();
  await drop();
});

const changed = (change: Partial<Order>): readonly Order[] =>
  claim.orders.map((order, place) => (place === 0 ? { ...order, ...change } : order));

describe('orders', () => {
  it('that are where they were answered to be are right', async () => {
    await expect(verifyOrders(database, claim)).resolves.toBeUndefined();
  });

  it.each<[string, () => Partial<OrdersClaim>, RegExp]>([
    ['an order at no node', () => ({ orders: changed({ node: null }) }), /1 are not as answered/],
    ['an order of another version', () => ({ orders: changed({ version: 2 }) }), /1 are not as answered/],
    [
      'an order that nobody has told of',
      () => ({ orders: claim.orders.slice(1) }),
      /5 places in the database, 4 answered/,
    ],
    [
      'an order that is not there',
      () => ({ orders: [...changed({}), { id: 'r-x', version: 3, node: 'n1' }] }),
      /1 are not/,
    ],
    ['a unit that has left the book', () => ({ onHand: 5 }), /the book: \{"on_hand":6/],
    ['units that the ledger does not tell of', () => ({ unitsPerRow: 2 }), /"unlike_ledger":6/],
  ])('are wrong for %s', async (_, wrong, message) => {
    await expect(verifyOrders(database, { ...claim, ...wrong() })).rejects.toThrow(message);
  });

  it.each([
    [
      'a promise without a backing',
      'UPDATE supply SET committed = committed',
      'WHERE sku_key = 1',
      /"unlike_backings":2/,
    ],
    [
      'two units of one order',
      'UPDATE backing SET confirmed = confirmed',
      'WHERE sku_key = 1 AND confirmed > 0',
      /2 confirmed and 0 held/,
    ],
    ['a version that no fact tells', 'UPDATE sku_gate SET version = version', 'WHERE sku_key = 3', /"untold":1/],
    [
      'a move that no fact tells',
      'UPDATE reservation SET version = version',
      `WHERE owner = '${OWNER}'`,
      /"untold_orders":5/,
    ],
  ])('are wrong for %s', async (_, update, where, message) => {
    const by = (units: string): Promise<void> =>
      withClient(database, async (client) => void (await client.query(`${update} ${units} ${where}`)));
    await by('+ 1');
    await expect(verifyOrders(database, claim)).rejects.toThrow(message);
    await by('- 1');
    await expect(verifyOrders(database, claim)).resolves.toBeUndefined();
  });
});
