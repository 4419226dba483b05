import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type AppFixture, createAppFixture } from '../testing/app-fixture.ts';

let app: AppFixture;
let before: number;
beforeAll(async () => {
  app = await createAppFixture();
  await app.http('putSkus', { body: { skus: [{ sku: 'a' }] } });
  await app.http('putNodes', { body: { nodes: [{ node: 'n', type: 'store' }] } });
  await app.http('putChannels', { body: { channels: [{ channel: 'web', type: 'web', nodes: 'all' }] } });
});
afterAll(() => app.close());
beforeEach(() => {
  before = app.log.length;
});

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly status?: number;
}

const lines = (): Line[] => app.log.slice(before).map((line) => JSON.parse(line) as Line);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function caller(): Promise<Socket> {
  const socket = connect({ port: Number(new URL(app.origin).port), host: '127.0.0.1' });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Sends a head that promises more than follows, waits until the server reads, and hangs up. */
async function cut(method: string, path: string, headers: readonly string[], body: Buffer | string): Promise<void> {
  const socket = await caller();
  const head = [`${method} ${path} HTTP/1.1`, 'host: spec', `authorization: Bearer ${app.key}`, ...headers];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await new Promise<void>((resolve) => socket.write(body, () => resolve()));
  const answered = await app.fetch('GET', '/health/live', { key: null });
  expect(answered.status).toBe(200);
  socket.resetAndDestroy();
}

async function requestLine(): Promise<Line> {
  for (;;) {
    const found = lines().find(({ msg, status }) => msg === 'request' && status !== 200);
    if (found) return found;
    await turn();
  }
}

const JSON_BODY = ['content-type: application/json', 'content-length: 1000'];
const feed = (id: string): string =>
  `/v1/feeds?id=${id}&source=wms&mode=reset&measure=physical&capturedAt=2026-01-01T00:00:00Z`;
const rows = `${JSON.stringify({ sku: 'a', node: 'n', quantity: 1 })}\n`.repeat(5_000);
const small = gzipSync(rows);
const NDJSON = { 'content-type': 'application/x-ndjson' };
const zipped = gzipSync(rows + String(Math.random()).repeat(100_000));

describe('a caller that hangs up', () => {
  it.each<[string, string, string, readonly string[], Buffer | string]>([
    ['within the body of a hold', 'POST', '/v1/reservations', JSON_BODY, '{"id":'],
    ['within the body of a movement', 'POST', '/v1/movements', JSON_BODY, '{"id":'],
    ['within an import', 'POST', '/v1/skus/import', ['content-type: text/csv', 'content-length: 1000'], 'sku\nx\n'],
    [
      'within a chunked body',
      'POST',
      '/v1/movements',
      ['content-type: application/json', 'transfer-encoding: chunked'],
      '5\r\n{"id"\r\n',
    ],
    ['within a feed', 'POST', feed('cut-1'), ['content-type: application/x-ndjson', 'content-length: 900000'], rows],
    [
      'within a compressed feed',
      'POST',
      feed('cut-2'),
      ['content-type: application/x-ndjson', 'content-encoding: gzip', 'content-length: 900000'],
      zipped.subarray(0, zipped.length / 2),
    ],
    ['before the body', 'POST', '/v1/reservations', JSON_BODY, ''],
  ])('%s is told as that, and as no failure of ours', async (_when, method, path, headers, body) => {
    await cut(method, path, headers, body);
    expect(await requestLine()).toMatchObject({ level: 'info', status: 499 });
    for (let turns = 0; turns < 50; turns++) await turn();
    expect(lines().filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('before its compressed feed is read frees the place of its upload', async () => {
    const lock = await app.pool.connect();
    await lock.query('BEGIN');
    await lock.query('LOCK TABLE feed IN EXCLUSIVE MODE');
    const head = (length: number): string[] => [
      'content-type: application/x-ndjson',
      'content-encoding: gzip',
      `content-length: ${length}`,
    ];
    // One whose body has come as a whole, and one whose body has not.
    const uploads = [head(small.length), head(900_000)].flatMap((given) => [given, given]);
    for (const [number, given] of uploads.entries()) await cut('POST', feed(`lost-${number}`), given, small);
    await lock.query('ROLLBACK');
    lock.release();
    const send = (id: string): Promise<{ status: number }> =>
      app.fetch('POST', feed(id), { body: small, headers: { 'content-encoding': 'gzip', ...NDJSON } });
    // In the end as many uploads as a client may have go on at once: not one of the places is still taken.
    const together = (round: number): Promise<number[]> =>
      Promise.all(uploads.map(async (_, number) => (await send(`kept-${round}-${number}`)).status));
    let statuses = [429];
    for (let round = 0; statuses.includes(429); round += 1) statuses = await together(round);
    expect(statuses.every((status) => status < 300)).toBe(true);
  });

  it('while its answer is made is no failure, and what it asked for is done', async () => {
    const lock = await app.pool.connect();
    await lock.query('BEGIN');
    await lock.query('SELECT * FROM sku_gate FOR UPDATE');
    const body = JSON.stringify({
      id: 'kept',
      source: 'pos',
      movements: [{ type: 'found', sku: 'a', node: 'n', quantity: 1 }],
    });
    const headers = ['content-type: application/json', `content-length: ${body.length}`];
    await cut('POST', '/v1/movements', headers, body);
    expect(await requestLine()).toMatchObject({ level: 'info', status: 499 });
    await lock.query('ROLLBACK');
    lock.release();
    const again = await app.fetch('POST', '/v1/movements', { body: JSON.parse(body) as object });
    expect(again.status).toBe(201);
    expect(lines().filter(({ level }) => level !== 'info')).toEqual([]);
  });
});
