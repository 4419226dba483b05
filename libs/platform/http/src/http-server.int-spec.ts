/** Hostile callers against a server with the platform's limits, over real sockets. */
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createMetrics } from '@onepool/platform-telemetry';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { type HttpLimits, httpLimits } from './http-limits.ts';
import { httpServerOptions } from './http-server.ts';

/** Nothing in these specs comes near a limit unless it is made tiny. */
const LIMITS = httpLimits({
  ONEPOOL_HTTP_CONNECTIONS: 100,
  ONEPOOL_HTTP_IDLE_MS: 3_600_000,
  ONEPOOL_HTTP_STALL_MS: 600_000,
  ONEPOOL_HTTP_BYTES_PER_SECOND: 1,
  ONEPOOL_HTTP_UPLOADS: 16,
});
const SOON = { stallMs: 100, bytesPerSecondMin: 1_000_000_000 };
const GET = 'GET /held HTTP/1.1\r\nhost: x\r\n\r\n';
const LARGE_BYTES = 32 * 1024 * 1024;

let server: FastifyInstance;
let metrics = createMetrics();
let port = 0;
/** Requests of `/held` that were handed to the app; each is answered when it is released. */
let held: (() => void)[] = [];
let largeCount = 0;
let onHeld: () => void = () => undefined;
const sockets: Socket[] = [];

async function start(limits: Partial<HttpLimits> = {}): Promise<void> {
  metrics = createMetrics();
  held = [];
  largeCount = 0;
  server = fastify(httpServerOptions({ ...LIMITS, ...limits }, metrics));
  server.get('/held', async () => {
    await new Promise<void>((release) => {
      held.push(release);
      onHeld();
    });
    return 'held';
  });
  const refuse = { onRequest: (_request: unknown, reply: FastifyReply) => void reply.status(401).send() };
  server.post('/refused', refuse, () => undefined);
  server.get('/large', (_request, reply) => {
    largeCount += 1;
    return reply.send(Buffer.alloc(LARGE_BYTES, 'x'));
  });
  server.post('/body', (request) => ({ length: String(request.body).length }));
  server.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  await server.listen({ port: 0, host: '127.0.0.1' });
  port = server.addresses()[0]?.port ?? 0;
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const release of held) release();
  await server.close();
});

async function open(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** All that comes until the other side ends or cuts the connection. */
async function readToEnd(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
  // A connection that is cut with bytes of ours unread ends in an error, and then closes.
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

async function heldCount(count: number): Promise<void> {
  while (held.length < count) await new Promise<void>((resolve) => (onHeld = resolve));
}

const cutsFor = async (reason: string): Promise<number> =>
  (await metrics.registry.getSingleMetric('http_connections_cut_total')!.get()).values.find(
    ({ labels }) => labels['reason'] === reason,
  )?.value ?? 0;

async function cut(reason: string): Promise<void> {
  while ((await cutsFor(reason)) === 0) await delay(10);
}

const problemIn = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')));

describe('requests that one connection sends without waiting for answers', () => {
  it('are taken up one after the other and answered in order', async () => {
    await start();
    const socket = await open();
    socket.write(GET.repeat(20) + 'GET /held HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const answers = readToEnd(socket);
    for (let count = 1; count <= 21; count += 1) {
      await heldCount(count);
      expect(held).toHaveLength(count);
      held[count - 1]?.();
    }
    expect((await answers).match(/HTTP\/1.1 200 OK/g)).toHaveLength(21);
  });

  it.each([
    ['that we answer', GET],
    ['without a host', 'GET /held HTTP/1.1\r\n\r\n'],
    ['with an unknown expectation', 'GET /held HTTP/1.1\r\nhost: x\r\nexpect: tea\r\n\r\n'],
  ])('cut the connection where more wait than may: requests %s', async (_what, request) => {
    await start();
    const socket = await open();
    const end = readToEnd(socket);
    socket.write(GET + request.repeat(1_600));
    expect(await end).toBe('');
    expect(held).toHaveLength(1);
    expect(await cutsFor('pipeline')).toBe(1);
  });

  it('hold one answer that nobody reads, and not one each', async () => {
    await start(SOON);
    const socket = await open();
    socket.pause();
    socket.write('GET /large HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(20));
    await cut('slow_reader');
    expect(largeCount).toBe(1);
  });
});

describe('callers who keep us waiting', () => {
  const head = 'POST /body HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\n';

  it('are answered 408 where a body stands still', async () => {
    await start(SOON);
    const socket = await open();
    socket.write(`${head}half`);
    const answer = await readToEnd(socket);
    expect(answer).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
    expect(answer).toMatch(/\r\ncontent-type: application\/problem\+json\r\n/i);
    expect(problemIn(answer)).toMatchObject({ status: 408, code: 'request.timeout', retryable: true });
    expect(await cutsFor('slow_body')).toBe(1);
  });

  it('are answered 408 where a body only trickles', async () => {
    await start({ ...SOON, bytesPerSecondMin: 1_000_000 });
    const socket = await open();
    socket.write(head.replace('10', '1000000'));
    const trickle = setInterval(() => socket.write('x'), 5);
    const answer = await readToEnd(socket).finally(() => clearInterval(trickle));
    expect(problemIn(answer)).toMatchObject({ code: 'request.timeout' });
  });

  it('are cut where the rest of a body that was refused stands still', async () => {
    await start(SOON);
    const socket = await open();
    socket.write(`${head.replace('/body', '/refused')}half`);
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1.1 401 /);
    expect(await cutsFor('slow_body')).toBe(1);
  });

  it('are answered 408 where the head of a request does not end', async () => {
    await start(SOON);
    const socket = await open();
    socket.write('GET /held HTTP/1.1\r\nhost:');
    const answer = await readToEnd(socket);
    expect(answer).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
    expect(problemIn(answer)).toMatchObject({ code: 'request.timeout' });
  });

  it('are answered 408 where no request begins', async () => {
    await start(SOON);
    expect(problemIn(await readToEnd(await open()))).toMatchObject({ code: 'request.timeout' });
  });

  it('may wait as long as they like while we are at work', async () => {
    await start(SOON);
    const [slow, stalled] = [await open(), await open()];
    slow.write(GET);
    await heldCount(1);
    // Two more that are cut, one after the other, show that looks went on meanwhile.
    stalled.write(`${head}half`);
    await readToEnd(stalled);
    const second = await open();
    second.write(`${head}half`);
    await readToEnd(second);
    held[0]?.();
    slow.end();
    expect(await readToEnd(slow)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  });

  it('are let go between two requests after the idle time', async () => {
    await start({ idleMs: 1 });
    const socket = await open();
    socket.write('GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1.1 404 /);
  });
});

describe('connections', () => {
  it('are no more than allowed, and counted', async () => {
    await start({ connectionsMax: 2 });
    for (const socket of [await open(), await open()]) socket.write(GET);
    await heldCount(2);
    const third = await open();
    expect(await readToEnd(third)).toBe('');
    expect(await cutsFor('connections')).toBe(1);
    expect(await metrics.registry.metrics()).toContain('http_connections 2');
  });

  it('give way to a newcomer where they are idle, the longest idle first', async () => {
    await start({ connectionsMax: 3 });
    const [busy, asked, silent] = [await open(), await open(), await open()];
    busy.write(GET);
    await heldCount(1);
    asked.write('GET /none HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(asked, 'data');
    const newcomers = [await open()];
    expect(await readToEnd(silent)).toBe('');
    newcomers.push(await open());
    expect(await readToEnd(asked)).toBe('');
    newcomers.forEach((socket) => socket.write(GET));
    await heldCount(3);
    expect(busy.destroyed).toBe(false);
    expect(await cutsFor('connections')).toBe(2);
  });

  it('that do not speak HTTP, or have too much to say first, are answered a problem and cut', async () => {
    await start();
    const [garbage, large] = [await open(), await open()];
    garbage.write('hello\r\n\r\n');
    expect(problemIn(await readToEnd(garbage))).toMatchObject({ status: 400, code: 'request.invalid' });
    large.write(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(problemIn(await readToEnd(large))).toMatchObject({ status: 431, code: 'request.head_too_large' });
  });

  it.each([
    ['name no host', 'GET /held HTTP/1.1\r\n\r\n', 400, 'request.invalid'],
    ['expect what we cannot do', 'GET /held HTTP/1.1\r\nhost: x\r\nexpect: tea\r\n\r\n', 400, 'request.invalid'],
    ['want a tunnel', 'CONNECT shop:443 HTTP/1.1\r\nhost: shop:443\r\n\r\n', 405, 'request.method_not_allowed'],
  ])('that %s are answered a problem and cut', async (_what, request, status, code) => {
    await start();
    const socket = await open();
    socket.write(request);
    const answer = await readToEnd(socket);
    expect(answer).toContain(`HTTP/1.1 ${status} `);
    expect(problemIn(answer)).toMatchObject({ status, code });
    expect(held).toEqual([]);
  });

  it('are not answered twice where garbage follows a request under way', async () => {
    await start();
    const socket = await open();
    socket.write(`${GET}hello\r\n\r\n`);
    expect(await readToEnd(socket)).toBe('');
  });
});
