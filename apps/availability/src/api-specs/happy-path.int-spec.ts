import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type {
  Atp,
  AtpMany,
  LedgerEntry,
  MovementsResult,
  Reservation,
  StockException,
  StockOfSku,
} from '@onepool/contracts';
import {
  type Answer,
  type AppFixture,
  type Call,
  type OperationId,
  createAppFixture,
  eventually as waitFor,
} from '../testing/app-fixture.ts';
import { putNetwork, receive } from '../testing/network.ts';

let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
  await putNetwork(app, ['http-1', 'nats-1', 'http-2', 'nats-2', 'page', 'partial', 'dup', 'atp-1', 'atp-2']);
});
afterAll(() => app.close());

const NEAR_WH_1 = { lat: 41.9, lng: -87.6 };

const tallies = ({ body }: Answer): object =>
  (body as Reservation).lines
    .flatMap(({ backings }) => backings)
    .map(({ node, held, confirmed, fulfilled, released, cancelled }) => ({
      node,
      ...Object.fromEntries(Object.entries({ held, confirmed, fulfilled, released, cancelled }).filter(([, n]) => n)),
    }));
const rowAt = (rows: StockOfSku['rows'], node: string): StockOfSku['rows'][number] | undefined =>
  rows.find((row) => row.node === node);

describe.each([
  ['HTTP', 'http'],
  ['NATS', 'rpc'],
] as const)('a reservation over %s', (_, edge) => {
  const call = (id: OperationId, body: Call): Promise<Answer> => app[edge](id, body);
  const verb = (id: OperationId, reservation: string, body: object): Promise<Answer> =>
    call(id, { params: { id: reservation }, body: { commandId: `${reservation}-${id}`, ...body } });

  it('goes from hold over extend, confirm, allocate and part fulfilment to cancelled', async () => {
    const sku = edge === 'http' ? 'http-1' : 'nats-1';
    const id = `${sku}-order`;
    await receive(app, sku, { 'wh-1': 6, 'wh-2': 6 });
    const held = await call('hold', {
      body: { id, channel: 'web', destination: NEAR_WH_1, lines: [{ sku, quantity: 5 }] },
    });
    expect(held.body).toMatchObject({ id, channel: 'web', status: 'held', version: 1 });
    expect(tallies(held)).toEqual([{ node: 'wh-1', held: 5 }]);
    const extended = await verb('extend', id, { expiresInSeconds: 3_600 });
    const later = Date.parse((extended.body as Reservation).expiresAt!);
    expect(later).toBeGreaterThan(Date.parse((held.body as Reservation).expiresAt!));
    const confirmed = await verb('confirm', id, {});
    expect(confirmed.body).toMatchObject({ status: 'confirmed', expiresAt: null });
    expect(tallies(confirmed)).toEqual([{ node: 'wh-1', confirmed: 5 }]);
    const moves = [
      { sku, quantity: 2, from: { node: 'wh-1' }, to: { node: 'wh-2', fulfilment: `${id}-f1` } },
      { line: '1', quantity: 3, from: { node: 'wh-1' }, to: { node: 'wh-1', fulfilment: `${id}-f2` } },
    ];
    const expectedVersion = (confirmed.body as Reservation).version;
    const groups = [{ reservations: [{ id, expectedVersion, moves }] }];
    const moved = await call('allocate', { body: { commandId: `${id}-routed`, groups } });
    expect(moved.body).toEqual({
      commandId: `${id}-routed`,
      groups: [{ reservations: [{ id, owner: app.principal, version: expectedVersion + 1 }] }],
    });
    const byFulfilment = (await call('getReservation', { params: { id } })).body as Reservation;
    expect(
      byFulfilment.lines[0]?.backings.map(({ node, fulfilment, confirmed: units }) => [node, fulfilment, units]),
    ).toEqual([
      ['wh-1', undefined, 0],
      ['wh-2', `${id}-f1`, 2],
      ['wh-1', `${id}-f2`, 3],
    ]);
    const fulfilled = await verb('fulfil', id, { lines: [{ fulfilment: `${id}-f2`, quantity: 1 }] });
    expect(tallies(fulfilled)).toEqual([
      { node: 'wh-1' },
      { node: 'wh-2', confirmed: 2 },
      { node: 'wh-1', confirmed: 2, fulfilled: 1 },
    ]);
    const cancelled = await verb('cancel', id, {});
    expect(cancelled.body).toMatchObject({ status: 'closed' });
    expect(tallies(cancelled)).toEqual([
      { node: 'wh-1' },
      { node: 'wh-2', cancelled: 2 },
      { node: 'wh-1', fulfilled: 1, cancelled: 2 },
    ]);
    const read = await call('getReservation', { params: { id } });
    expect(read.body).toEqual(cancelled.body);
    expect((await call('getStock', { params: { sku } })).body).toMatchObject({
      rows: [
        { node: 'wh-1', onHand: 5, available: 5 },
        { node: 'wh-2', onHand: 6, available: 6 },
      ],
    });
  });

  it('gives released units back, and answers a repeated request with the first answer', async () => {
    const sku = edge === 'http' ? 'http-2' : 'nats-2';
    const id = `${sku}-cart`;
    await receive(app, sku, { 'store-1': 3 });
    const body = { id, channel: 'pos', lines: [{ sku, quantity: 3 }] };
    const held = await call('hold', { body });
    const released = await verb('release', id, {});
    expect(released.body).toMatchObject({ status: 'closed', expiresAt: null });
    expect(tallies(released)).toEqual([{ node: 'store-1', released: 3 }]);
    expect((await call('hold', { body })).body).toEqual(held.body);
    expect((await verb('release', id, {})).body).toEqual(released.body);
    const atp = await call('getAtp', { params: { sku }, query: { channel: 'pos' } });
    expect(atp.body).toMatchObject({ atp: 3 });
  });
});

describe('a hold', () => {
  it('keeps lines of one SKU apart and decides them together', async () => {
    await receive(app, 'dup', { 'wh-1': 5 });
    const lines = [
      { sku: 'dup', quantity: 3 },
      { id: 'gift', sku: 'dup', quantity: 3 },
    ];
    const refused = await app.http('hold', { body: { id: 'dup-1', channel: 'web', lines } });
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'stock.insufficient', shortages: [{ line: 'gift', sku: 'dup', requested: 3, atp: 2 }] },
    });
    const fitting = [lines[0], { id: 'gift', sku: 'dup', quantity: 2 }];
    const granted = await app.http('hold', { body: { id: 'dup-1', channel: 'web', lines: fitting } });
    expect(granted.body).toMatchObject({
      lines: [
        { id: '1', sku: 'dup', requested: 3, granted: 3 },
        { id: 'gift', sku: 'dup', requested: 2, granted: 2 },
      ],
    });
  });

  it('grants what there is with allowPartial, however much was asked', async () => {
    await receive(app, 'partial', { 'wh-1': 5 });
    const lines = Array.from({ length: 2_000 }, () => ({ sku: 'partial', quantity: 1_000_000 }));
    const granted = await app.http('hold', { body: { id: 'part-1', channel: 'web', allowPartial: true, lines } });
    const told = (granted.body as Reservation).lines;
    expect(told).toHaveLength(2_000);
    expect(told[0]).toMatchObject({ id: '1', requested: 1_000_000, granted: 5 });
    expect(told.slice(1).filter(({ granted: units, backings }) => units !== 0 || backings.length > 0)).toEqual([]);
    expect((await app.http('getReservation', { params: { id: 'part-1' } })).status).toBe(200);
  });
});

describe.each([
  ['HTTP', 'http'],
  ['NATS', 'rpc'],
] as const)('movements over %s', (_, edge) => {
  it.each([
    ['sale', { quantity: 2 }, { onHand: 8, available: 8 }],
    ['receipt', { quantity: 2 }, { onHand: 12, available: 12 }],
    ['found', { quantity: 1 }, { onHand: 11, available: 11 }],
    ['damage', { quantity: 3 }, { onHand: 10, available: 7, damaged: 3 }],
    ['adjustment', { quantity: -4 }, { onHand: 6, available: 6 }],
    ['safety_stock', { quantity: 4 }, { onHand: 10, available: 6, safetyStock: 4 }],
    ['transfer', { quantity: 4, toNode: 'wh-2' }, { onHand: 6, available: 6 }],
  ])('record a %s', async (type, extra, expected) => {
    const sku = `${edge}-${type}`;
    await app[edge]('putSkus', { body: { skus: [{ sku }] } });
    await receive(app, sku, { 'wh-1': 10 });
    const movements = [{ type, sku, node: 'wh-1', reason: 'spec', sourceEventId: `e-${sku}`, ...extra }];
    const body = { id: `${sku}-move`, source: 'pos', occurredAt: new Date().toISOString(), movements };
    const recorded = await app[edge]('recordMovements', { body });
    expect(recorded.status).toBe(201);
    const { skus } = recorded.body as MovementsResult;
    expect(rowAt(skus[0]!.rows, 'wh-1')).toMatchObject(expected);
    if (type === 'transfer') expect(rowAt(skus[0]!.rows, 'wh-2')).toMatchObject({ available: 4 });
    expect((await app[edge]('recordMovements', { body })).body).toEqual(recorded.body);
    const stock = (await app[edge]('getStock', { params: { sku } })).body as StockOfSku;
    expect(stock).toMatchObject({ sku, version: skus[0]!.version });
    expect(rowAt(stock.rows, 'wh-1')).toMatchObject(expected);
  });
});

describe.each([
  ['HTTP', 'http'],
  ['NATS', 'rpc'],
] as const)('ATP over %s', (_, edge) => {
  let version = 0;
  beforeAll(async () => {
    const sku = 'atp-1';
    const { rows } = (await app.http('getStock', { params: { sku } })).body as StockOfSku;
    version = await receive(app, sku, rows.length === 0 ? { 'wh-1': 10, 'store-1': 4 } : { 'wh-1': 1 });
    const thresholds = [
      { scope: 'node', node: 'store-1', quantity: 3 },
      { scope: 'node', channel: 'web', node: 'store-1', quantity: 1 },
      { scope: 'network', channel: 'web', sku, quantity: 2 },
    ];
    expect((await app[edge]('putThresholds', { body: { thresholds } })).body).toEqual({ applied: 3 });
    // Reads may be 250 ms behind a changed rule.
    await waitFor(async () => {
      const { body } = await app.http('getAtp', { params: { sku }, query: { channel: 'web', byNode: true } });
      return (body as Atp).nodes?.find(({ node, atp }) => node === 'store-1' && atp === 1);
    });
  });

  it('subtracts the largest threshold of each node and then the network’s', async () => {
    const query = { channel: 'web', byNode: true, minVersion: version };
    const { body } = await app[edge]('getAtp', { params: { sku: 'atp-1' }, query });
    const units = edge === 'http' ? 10 : 11;
    expect(body).toMatchObject({ sku: 'atp-1', channel: 'web', version, atp: units + 1 - 2 });
    expect((body as Atp).nodes).toEqual(
      expect.arrayContaining([
        { node: 'wh-1', atp: units },
        { node: 'store-1', atp: 1 },
      ]),
    );
    const pos = await app[edge]('getAtp', { params: { sku: 'atp-1' }, query: { channel: 'pos' } });
    expect(pos.body).toMatchObject({ atp: 1 });
  });

  it('answers many SKUs in the order asked, of the nodes asked', async () => {
    const body = { channel: 'web', skus: ['atp-2', 'atp-1'], nodes: ['store-1'], byNode: true };
    const { items } = (await app[edge]('queryAtp', { body })).body as AtpMany;
    expect(items.map(({ sku, atp, nodes }) => ({ sku, atp, nodes }))).toEqual([
      { sku: 'atp-2', atp: 0, nodes: [] },
      { sku: 'atp-1', atp: 1, nodes: [{ node: 'store-1', atp: 1 }] },
    ]);
  });

  it('refuses a version that has not been reached', async () => {
    const query = { channel: 'web', minVersion: version + 1 };
    const refused = await app[edge]('getAtp', { params: { sku: 'atp-1' }, query });
    expect(refused).toMatchObject({ status: 409, body: { code: 'version.not_reached', retryable: true } });
  });
});

/** Reads a list to its end, `limit` items a page. */
async function pages(id: OperationId, call: Call, limit: number): Promise<unknown[][]> {
  const read: unknown[][] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const query: Record<string, string> = { limit: String(limit), ...(cursor === '' ? {} : { cursor }) };
    const { body } = await app.http(id, { ...call, query });
    const page = body as { items: unknown[]; nextCursor: string | null };
    read.push(page.items);
    cursor = page.nextCursor;
  }
  return read;
}

describe('lists', () => {
  it('page through the catalogue without leaving out or repeating a row', async () => {
    for (const [id, count] of [
      ['listSkus', null],
      ['listNodes', 3],
      ['listChannels', 2],
      ['listThresholds', 3],
    ] as const) {
      const whole = (await pages(id, {}, 1_000)).flat();
      const byTwos = await pages(id, {}, 2);
      expect(byTwos.flat()).toEqual(whole);
      expect(new Set(whole.map((row) => JSON.stringify(row))).size).toBe(whole.length);
      if (count !== null) expect(whole).toHaveLength(count);
    }
  });

  it('show what was put, without members that were not given', async () => {
    const { body } = await app.http('listNodes');
    expect(body).toMatchObject({
      items: [
        { node: 'store-1', type: 'store', lat: 40.7, lng: -74, timeZone: 'America/New_York' },
        { node: 'wh-1', name: 'Chicago' },
        { node: 'wh-2', timeZone: 'UTC' },
      ],
      nextCursor: null,
    });
  });

  it('page through the ledger of a SKU, oldest first, and prove it', async () => {
    for (let round = 0; round < 5; round++) await receive(app, 'page', { 'wh-1': 1, 'wh-2': 1 });
    const entries = (await pages('listLedger', { params: { sku: 'page' } }, 3)).flat() as LedgerEntry[];
    expect(entries.map(({ version }) => version)).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    expect(entries[0]).toMatchObject({ sku: 'page', node: 'wh-1', to: 'available', quantity: 1, source: 'wms' });
    const proof = await app.http('verifyLedger', { body: { skuPrefix: 'page' } });
    expect(proof.body).toEqual({ balanced: true, rowsChecked: 2, mismatches: [] });
  });
});

describe('a promise that breaks', () => {
  it('is moved to another node if there is one, and else becomes an exception, closed once units are there', async () => {
    const sku = 'http-break';
    await app.http('putSkus', { body: { skus: [{ sku }] } });
    await receive(app, sku, { 'wh-1': 2, 'wh-2': 1 });
    const hold = { id: 'break-1', channel: 'web', nodes: ['wh-1', 'wh-2'], lines: [{ sku, quantity: 2 }] };
    await app.http('hold', { body: hold });
    await app.http('confirm', { params: { id: 'break-1' }, body: { commandId: 'break-1-c' } });
    const sale = { type: 'sale', sku, node: 'wh-1', quantity: 2 };
    await app.http('recordMovements', { body: { id: 'break-sale', source: 'pos', movements: [sale] } });
    const open = await waitFor(async () => {
      const { items } = (await app.http('listExceptions')).body as { items: StockException[] };
      return items.find((item) => item.sku === sku);
    });
    expect(open).toMatchObject({ code: 'promise.short', node: 'wh-1', quantity: 1, closedAt: null });
    const moved = await app.http('getReservation', { params: { id: 'break-1' } });
    expect(tallies(moved)).toEqual(expect.arrayContaining([{ node: 'wh-2', confirmed: 1 }]));
    await receive(app, sku, { 'wh-1': 1 });
    const closed = await waitFor(async () => {
      const { items } = (await app.http('listExceptions')).body as { items: StockException[] };
      return items.find((item) => item.sku === sku && item.closedAt !== null);
    });
    expect(closed).toMatchObject({ quantity: 0, closedAt: expect.any(String) });
    const counted = await app.http('countEvents', { query: { namePrefix: sku } });
    const { version } = (await app.http('getStock', { params: { sku } })).body as StockOfSku;
    expect((counted.body as { written: number }).written).toBeGreaterThanOrEqual(version);
    const ofReservation = await app.http('countEvents', { query: { namePrefix: 'break-1' } });
    // Confirmed, and one unit moved; the owner, which stands before the id in the key, is no name of its own.
    expect(ofReservation.body).toEqual({ written: 2 });
    expect((await app.http('countEvents', { query: { namePrefix: app.principal } })).body).toEqual({ written: 0 });
  });
});
