/** What callers, with a key or without one, can do to a replica by sending much, reading nothing, or standing still. */
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { AtpMany } from '@onepool/contracts';
import { type AppFixture, createAppFixture, eventually } from '../testing/app-fixture.ts';
import { checkProblem } from '../testing/answer.ts';
import { putNetwork, receive } from '../testing/network.ts';

const UPLOAD = '/v1/feeds?id=ID&source=erp&mode=reset&measure=physical&capturedAt=2026-01-01T00:00:00Z';
const sockets: Socket[] = [];

async function open({ origin }: AppFixture): Promise<Socket> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** Asks to send a body and sends only its beginning. */
async function beginUpload(app: AppFixture, path: string, type: string, beginning: string): Promise<Socket> {
  const socket = await open(app);
  const head = [`POST ${path} HTTP/1.1`, 'host: x', `authorization: Bearer ${app.key}`, `content-type: ${type}`];
  socket.write(`${head.join('\r\n')}\r\ncontent-length: 1000\r\n\r\n${beginning}`);
  return socket;
}

async function answerOf(socket: Socket) {
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
  await once(socket, 'close');
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const status = Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
  const contentType = /^content-type: (.*)$/im.exec(head)?.[1] ?? '';
  return { status, contentType, headers: {}, body: body === '' ? undefined : (JSON.parse(body) as unknown) };
}

async function cutForPipelining(app: AppFixture): Promise<number> {
  const { body } = await app.fetch('GET', '/metrics', { key: null });
  return Number(/^http_connections_cut_total\{reason="pipeline"\} (\d+)$/m.exec(String(body))?.[1] ?? 0);
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

let app: AppFixture;

beforeAll(async () => {
  app = await createAppFixture({ config: { ONEPOOL_HTTP_UPLOADS: 4 } });
});
afterAll(() => app.close());

describe('a caller without a key who sends 1,600 requests at once and reads nothing', () => {
  it.each(['/openapi.json', '/metrics', '/v1/atp/A?channel=web', '/nowhere'])(
    'is cut, whatever is asked for: %s',
    async (path) => {
      const before = await cutForPipelining(app);
      const callers = await Promise.all(Array.from({ length: 2 }, () => open(app)));
      for (const caller of callers) caller.pause().write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(1_600));
      await eventually(async () => ((await cutForPipelining(app)) === before + 2 ? true : undefined));
      expect((await app.fetch('GET', '/health/live', { key: null })).status).toBe(200);
    },
  );
});

describe('a caller with a key who sends much to work through', () => {
  it.each([
    ['an import of 10,000 lines that are no good', 'sku,title\n', 'x\n', 10_000, 422],
    ['an import of 10,000 lines that are no CSV', 'sku\n', 'a"b\n', 10_000, 422],
    ['an import of 10,000 good lines', 'sku\n', '', 10_000, 200],
  ])('has others answered meanwhile: %s', async (_what, header, line, lines, status) => {
    const rows =
      line === '' ? Array.from({ length: lines }, (_, index) => `s-${index}\n`).join('') : line.repeat(lines);
    let isOver = false;
    const imported = app
      .fetch('POST', '/v1/skus/import', { body: header + rows, headers: { 'content-type': 'text/csv' } })
      .finally(() => (isOver = true));
    let answered = 0;
    while (!isOver) {
      expect((await app.fetch('GET', '/health/live', { key: null })).status).toBe(200);
      answered += 1;
    }
    const answer = await imported;
    expect(answer.status).toBe(status);
    if (status !== 200) expect(answer.body).toMatchObject({ badRows: lines, errors: { length: 100 } });
    expect(answered).toBeGreaterThan(3);
  });

  it('has no more uploads at once than allowed', async () => {
    await beginUpload(app, UPLOAD.replace('ID', 'hanging'), 'application/x-ndjson', '{');
    await eventually(async () => {
      const { rowCount } = await app.pool.query(`SELECT FROM feed WHERE id = 'hanging'`);
      return rowCount === 1 ? true : undefined;
    });
    const other = await beginUpload(app, UPLOAD.replace('ID', 'other'), 'application/x-ndjson', '{');
    const refused = await answerOf(other);
    expect([refused.status, checkProblem(refused)]).toEqual([429, 'limit.rate']);
  });

  it('is told of a thousand SKUs by node what is told of each', async () => {
    await putNetwork(app, ['m-1']);
    await receive(app, 'm-1', { 'wh-1': 1, 'wh-2': 2, 'store-1': 3 });
    const about = { channel: 'web', byNode: true };
    const many = async (count: number) =>
      ((await app.http('queryAtp', { body: { ...about, skus: Array(count).fill('m-1') } })).body as AtpMany).items;
    // Reads may be a moment behind the receipt.
    const one = await eventually(async () => (await many(1)).find(({ atp }) => atp === 6));
    const asked = await many(1_000);
    expect(asked.map(({ asOf: _asOf, ...told }) => told)).toEqual(
      Array(1_000).fill(expect.objectContaining({ atp: one.atp })),
    );
    expect(asked.flatMap(({ nodes = [] }) => nodes)).toHaveLength(1_000 * (one.nodes?.length ?? 0));
  });
});

describe('a body that stands still', () => {
  let impatient: AppFixture;

  beforeAll(async () => {
    impatient = await createAppFixture({ config: { ONEPOOL_HTTP_STALL_MS: 100, ONEPOOL_HTTP_BYTES_PER_SECOND: 1 } });
  });
  afterAll(() => impatient.close());

  it.each([
    ['of JSON', '/v1/reservations', 'application/json', '{"id":'],
    ['of a CSV import', '/v1/skus/import', 'text/csv', 'sku\nA'],
    ['of a feed', UPLOAD.replace('ID', 'stalled'), 'application/x-ndjson', '{"sku":"A'],
  ])('%s is answered 408 and its connection ends', async (_what, path, type, beginning) => {
    const answer = await answerOf(await beginUpload(impatient, path, type, beginning));
    expect([answer.status, checkProblem(answer)]).toEqual([408, 'request.timeout']);
  });

  it('leaves its feed to be sent again, and no line of a failure of ours', async () => {
    const answer = await impatient.fetch('POST', UPLOAD.replace('ID', 'stalled'), {
      body: '',
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect(answer.status).toBe(202);
    expect(impatient.log.filter((line) => line.includes('request failed'))).toEqual([]);
  });
});
