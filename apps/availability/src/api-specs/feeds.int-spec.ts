import { type IncomingMessage, request as httpRequest } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Feed, StockOfSku } from '@onepool/contracts';
import { sha256OfApiKey } from '@onepool/platform-auth';
import { type AppFixture, type Call, createAppFixture, eventually } from '../testing/app-fixture.ts';
import { problemOf } from '../testing/answer.ts';
import { putNetwork } from '../testing/network.ts';

const SKUS = ['f-1', 'f-2', 'f-3'];
let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
  await putNetwork(app, SKUS);
});
afterAll(() => app.close());

let feeds = 0;
let id: string;
beforeEach(() => {
  id = `feed-${feeds++}`;
});

const query = (more: Record<string, string> = {}): Record<string, string> => ({
  id,
  source: 'wms',
  mode: 'reset',
  measure: 'physical',
  capturedAt: new Date().toISOString(),
  ...more,
});
const NDJSON = { 'content-type': 'application/x-ndjson' };
const CSV = { 'content-type': 'text/csv; charset=utf-8' };
const line = (sku: string, node: string, quantity: number): string => `${JSON.stringify({ sku, node, quantity })}\n`;
const send = (body: string | Buffer, call: Call = {}) =>
  app.http('sendFeed', { query: query(), body, headers: NDJSON, ...call });

const settled = (): Promise<Feed> =>
  eventually(async () => {
    const feed = (await app.http('getFeed', { params: { id } })).body as Feed;
    return feed.state === 'done' || feed.state === 'failed' ? feed : undefined;
  });
const onHand = async (sku: string, node: string): Promise<number | undefined> =>
  ((await app.http('getStock', { params: { sku } })).body as StockOfSku).rows.find((row) => row.node === node)?.onHand;

describe('a feed over HTTP', () => {
  it('is answered when it is staged, and applied by itself', async () => {
    const answer = await send(line('f-1', 'wh-1', 7) + line('f-2', 'wh-1', 5));
    expect(answer).toMatchObject({ status: 202, body: { id, rows: { received: 2, staged: 2 } } });
    expect(await settled()).toMatchObject({ state: 'done', rows: { applied: 2 }, percentage: 100 });
    expect(await onHand('f-1', 'wh-1')).toBe(7);
  });

  it('may be CSV, with quotes, a byte order mark and CRLF, and name its node once', async () => {
    const csv = '\uFEFFquantity,sku,recordId\r\n"4",f-1,"a ""b"", c"\r\n\r\n5,"f-2",\r\nx,f-3,\r\n"6,f-3,\r\n';
    await send(csv, { query: query({ node: 'wh-2' }), headers: CSV });
    expect(await settled()).toMatchObject({ node: 'wh-2', rows: { received: 4, applied: 2, refused: 2 } });
    expect([await onHand('f-1', 'wh-2'), await onHand('f-2', 'wh-2')]).toEqual([4, 5]);
    const refusals = await app.http('listFeedRefusals', { params: { id }, query: { limit: '1' } });
    expect(refusals.body).toMatchObject({ items: [{ line: 5, code: 'quantity.invalid' }] });
    const { nextCursor } = refusals.body as { nextCursor: string };
    const next = await app.http('listFeedRefusals', { params: { id }, query: { cursor: nextCursor } });
    expect(next.body).toMatchObject({ items: [{ line: 6, code: 'row.malformed' }], nextCursor: null });
  });

  it('may be larger than any other body, and compressed', async () => {
    const rows = line('f-3', 'wh-1', 9) + line('f-3', 'nowhere', 1).repeat(60_000);
    expect(Buffer.byteLength(rows)).toBeGreaterThan(2 * 1_048_576);
    await send(gzipSync(rows), { headers: { ...NDJSON, 'content-encoding': 'gzip' } });
    expect(await settled()).toMatchObject({ rows: { received: 60_001, applied: 1, refused: 60_000 } });
    expect(await onHand('f-3', 'wh-1')).toBe(9);
  });

  it('may count states of units, all of them where it says so, and tells what it could not take', async () => {
    const csv = 'sku,node,quantity,state\nf-1,wh-1,9,\nf-1,wh-1,2,damaged\nf-1,wh-1,1,available\n';
    const parameters = query({ completeness: 'full', states: 'quality_control,damaged', node: 'wh-1' });
    await send(csv, { query: parameters, headers: CSV });
    expect(await settled()).toMatchObject({
      states: ['damaged', 'quality_control'],
      rows: { received: 3, refused: 1 },
    });
    const { rows } = (await app.http('getStock', { params: { sku: 'f-1' } })).body as StockOfSku;
    expect(rows.find(({ node }) => node === 'wh-1')).toMatchObject({ onHand: 9, available: 7, damaged: 2 });
    const refusals = await app.http('listFeedRefusals', { params: { id } });
    expect(refusals.body).toMatchObject({ items: [{ line: 4, code: 'state.unsupported' }] });
    const other = { ...parameters, states: 'damaged' };
    expect(problemOf(await send(csv, { query: other, headers: CSV }))).toMatchObject({ code: 'idempotency.mismatch' });
  });

  it('sent again answers with its state, and with other parameters is a mismatch', async () => {
    const first = query();
    await send(line('f-1', 'store-1', 1), { query: first });
    await settled();
    const again = await send(line('f-1', 'store-1', 1), { query: first });
    expect(again).toMatchObject({ status: 202, body: { state: 'done', rows: { received: 1 } } });
    expect(problemOf(await send(line('f-1', 'store-1', 2), { query: first }))).toMatchObject({
      status: 409,
      code: 'idempotency.mismatch',
    });
    expect(problemOf(await send('', { query: { ...first, source: 'erp' } }))).toMatchObject({
      status: 409,
      code: 'idempotency.mismatch',
    });
    expect(await onHand('f-1', 'store-1')).toBe(1);
  });

  it('that is cut stays receiving, and is taken whole the next time', async () => {
    const parameters = query();
    const headers = { ...NDJSON, authorization: `Bearer ${app.key}`, 'transfer-encoding': 'chunked' };
    const path = `/v1/feeds?${new URLSearchParams(parameters).toString()}`;
    const upload = httpRequest(`${app.origin}${path}`, { method: 'POST', headers });
    upload.on('error', () => undefined);
    upload.write(line('f-2', 'store-1', 3).repeat(30_000));
    const state = async (): Promise<Feed | undefined> => {
      const { status, body } = await app.fetch('GET', `/v1/feeds/${id}`);
      return status === 200 ? (body as Feed) : undefined;
    };
    await eventually(async () => ((await state())?.rows.received ? true : undefined));
    const closed = new Promise((resolve) => upload.once('close', resolve));
    upload.destroy();
    await closed;
    expect(await state()).toMatchObject({ state: 'receiving' });
    expect(await send(line('f-2', 'store-1', 4), { query: parameters })).toMatchObject({ status: 202 });
    expect(await settled()).toMatchObject({ rows: { received: 1, applied: 1 } });
    expect(app.log.filter((entry) => entry.includes('"request failed"'))).toEqual([]);
  });
});

describe('a feed whose key is revoked while it is sent', () => {
  const rows = line('f-2', 'store-1', 3).repeat(30_000);
  it.each<[string, Readonly<Record<string, string>>, (text: string) => string | Buffer, boolean]>([
    ['and which goes on', NDJSON, (text) => text, true],
    ['and which stalls', NDJSON, (text) => text, false],
    ['and which stalls, compressed', { ...NDJSON, 'content-encoding': 'gzip' }, (text) => gzipSync(text), false],
  ])('ends with that problem %s, and is taken whole with another key', async (_title, headers, encode, goesOn) => {
    const parameters = query();
    const name = `leaver-${id}`;
    const [key, kept] = [await app.makeKey(name, ['all']), await app.makeKey(name, ['all'])];
    const path = `/v1/feeds?${new URLSearchParams(parameters).toString()}`;
    const upload = httpRequest(`${app.origin}${path}`, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${key}`, 'transfer-encoding': 'chunked' },
    });
    upload.on('error', () => undefined);
    const answered = new Promise<IncomingMessage>((resolve) => upload.once('response', resolve));
    upload.write(encode(rows));
    const state = async () => (await app.fetch('GET', `/v1/feeds/${id}`, { key: kept })).body as Partial<Feed>;
    await eventually(async () => ((await state()).state === 'receiving' ? true : undefined));
    const sending = goesOn && setInterval(() => upload.write(line('f-2', 'store-1', 3)), 5);
    const revoked = (await app.identity.keys()).filter((one) => one.name === name);
    await app.identity.revokeKey(revoked.find(({ fingerprint }) => sha256OfApiKey(key).startsWith(fingerprint))!.id);
    const response = await answered;
    clearInterval(sending || undefined);
    expect(response.statusCode).toBe(401);
    expect(JSON.parse(await textOf(response))).toMatchObject({ code: 'auth.invalid' });
    upload.destroy();
    expect(await state()).toMatchObject({ state: 'receiving' });
    expect(await send(line('f-2', 'store-1', 4), { query: parameters, key: kept })).toMatchObject({ status: 202 });
  });
});

type Refused = [string, () => Call & { readonly body: string | Buffer }, number, string];
const MISPLACED_STATES: readonly Record<string, string>[] = [
  { states: 'damaged' },
  { states: 'damaged', completeness: 'full', measure: 'availability' },
  { states: 'available', completeness: 'full' },
  { states: 'damaged,', completeness: 'full' },
  { states: '', completeness: 'full' },
];

describe('a feed is refused', () => {
  it.each<Refused>([
    ['without parameters', () => ({ body: '', query: {} }), 400, 'request.invalid'],
    ['of an unknown mode', () => ({ body: '', query: query({ mode: 'guess' }) }), 400, 'request.invalid'],
    ['with an unknown parameter', () => ({ body: '', query: query({ color: 'red' }) }), 400, 'request.invalid'],
    [
      'as a full delta',
      () => ({ body: '', query: query({ mode: 'delta', completeness: 'full' }) }),
      400,
      'request.invalid',
    ],
    ...MISPLACED_STATES.map((more): Refused => [
      `that tells all of a state and is ${JSON.stringify(more)}`,
      () => ({ body: '', query: query(more) }),
      400,
      'request.invalid',
    ]),
    ['whose source is the engine', () => ({ body: '', query: query({ source: 'onepool' }) }), 422, 'source.reserved'],
    [
      'captured on no day',
      () => ({ body: '', query: query({ capturedAt: '2026-02-30T00:00:00Z' }) }),
      400,
      'request.invalid',
    ],
    ['for a node nobody knows', () => ({ body: '', query: query({ node: 'nowhere' }) }), 404, 'node.unknown'],
    [
      'as JSON',
      () => ({ body: '{}', headers: { 'content-type': 'application/json' } }),
      415,
      'request.unsupported_media_type',
    ],
    [
      'in another compression',
      () => ({ body: 'x', headers: { ...NDJSON, 'content-encoding': 'br' } }),
      415,
      'request.unsupported_media_type',
    ],
    [
      'as gzip that is none',
      () => ({ body: 'plain', headers: { ...NDJSON, 'content-encoding': 'gzip' } }),
      400,
      'feed.not_gzip',
    ],
    [
      'as gzip that ends early',
      () => ({
        body: gzipSync(line('f-1', 'wh-1', 1)).subarray(0, -9),
        headers: { ...NDJSON, 'content-encoding': 'gzip' },
      }),
      400,
      'feed.not_gzip',
    ],
    [
      'as a few bytes of gzip that expand to nothing but line ends',
      () => ({ body: gzipSync('\n'.repeat(20_000_000)), headers: { ...CSV, 'content-encoding': 'gzip' } }),
      413,
      'feed.too_large',
    ],
    [
      'as a full count that is cut within its last line',
      () => ({ body: 'sku,node,quantity\nf-1,wh-1,7\nf-2,w', headers: CSV, query: query({ completeness: 'full' }) }),
      422,
      'feed.incomplete',
    ],
    [
      'with another number of rows than was said',
      () => ({ body: line('f-1', 'wh-1', 7), query: query({ expectedRows: '2' }) }),
      422,
      'feed.rows_differ',
    ],
    ['as CSV without its columns', () => ({ body: 'sku,amount\nf-1,2\n', headers: CSV }), 422, 'feed.header_invalid'],
  ])('%s', async (_, call, status, code) => {
    const { body, ...rest } = call();
    expect(problemOf(await send(body, rest))).toMatchObject({ status, code });
  });

  it('when nobody has sent it', async () => {
    expect(problemOf(await app.http('getFeed', { params: { id: 'unheard-of' } }))).toMatchObject({
      code: 'feed.unknown',
    });
    await send(line('f-1', 'wh-1', 7));
    const neighbour = await app.makeKey('neighbour', ['all']);
    expect(problemOf(await app.http('getFeed', { params: { id }, key: neighbour }))).toMatchObject({
      code: 'feed.unknown',
    });
  });
});
