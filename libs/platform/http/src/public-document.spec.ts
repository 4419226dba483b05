import { beforeAll, describe, expect, it } from '@jest/globals';
import { type FastifyInstance, fastify } from 'fastify';
import { publicDocument } from './public-document.ts';

const PAGE = '<!doctype html><title>é</title>';
let server: FastifyInstance;
const sent: unknown[] = [];

beforeAll(async () => {
  server = fastify();
  server.addHook('onSend', (_request, _reply, payload, done) => {
    sent.push(payload);
    done(null, payload);
  });
  publicDocument(server, '/api.json', { body: { openapi: '3.1.0' } });
  publicDocument(server, '/docs', {
    body: PAGE,
    type: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': "default-src 'self'", 'cache-control': 'max-age=60' },
  });
  await server.ready();
});

describe('a public document', () => {
  it('is served as the type it has, with its length in bytes', async () => {
    const api = await server.inject('/api.json');
    expect(api.json()).toEqual({ openapi: '3.1.0' });
    expect(api.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-length': '19',
      'cache-control': 'no-cache',
    });
    const page = await server.inject('/docs');
    expect(page.body).toBe(PAGE);
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-length': String(Buffer.byteLength(PAGE)),
      'content-security-policy': "default-src 'self'",
      'cache-control': 'max-age=60',
    });
  });

  it('is the same bytes in every answer, and not a copy for each', async () => {
    sent.length = 0;
    await server.inject('/api.json');
    await server.inject('/api.json');
    expect(sent[0]).toBeInstanceOf(Buffer);
    expect(sent[1]).toBe(sent[0]);
  });

  it('is not sent again to who has it', async () => {
    const { etag } = (await server.inject('/api.json')).headers;
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    for (const known of [etag, `"other", W/${etag}`, '*']) {
      const again = await server.inject({ url: '/api.json', headers: { 'if-none-match': String(known) } });
      expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', etag]);
    }
    const other = await server.inject({ url: '/api.json', headers: { 'if-none-match': '"other"' } });
    expect(other.statusCode).toBe(200);
  });

  it('tells its length and tag to HEAD', async () => {
    const head = await server.inject({ method: 'HEAD', url: '/api.json' });
    expect([head.statusCode, head.body, head.headers['content-length']]).toEqual([200, '', '19']);
  });

  it('is open to anybody', async () => {
    const open = fastify();
    const routes: unknown[] = [];
    open.addHook('onRoute', ({ method, config }) => void routes.push([method, config?.access]));
    publicDocument(open, '/x', { body: 'x', type: 'text/plain' });
    await open.ready();
    expect(routes).toContainEqual(['GET', { public: true }]);
  });
});
