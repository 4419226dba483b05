import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FastifyInstance, fastify } from 'fastify';
import { publishApiDocuments } from './publish-api-documents.ts';

const openApi = { openapi: '3.1.0', info: { title: 'Any', version: '1' }, paths: {} };
let server: FastifyInstance;

beforeAll(async () => {
  server = fastify();
  publishApiDocuments(server, { title: 'Any <API>', openApi, asyncApi: { asyncapi: '3.0.0' } });
  await server.ready();
});
afterAll(() => server.close());

describe('the documents of an API', () => {
  it('are served as JSON for programs', async () => {
    expect((await server.inject('/openapi.json')).json()).toEqual(openApi);
    expect((await server.inject('/asyncapi.json')).json()).toEqual({ asyncapi: '3.0.0' });
  });

  it('are shown by a page that asks no other server for anything', async () => {
    const { headers, body } = await server.inject('/docs');
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(body).toContain('<title>Any &lt;API&gt;</title>');
    expect(body).not.toMatch(/https?:|\/\//);
    const policy = new Map(
      String(headers['content-security-policy'])
        .split('; ')
        .map((directive) => directive.split(/ (.*)/) as [string, string]),
    );
    expect(policy.get('default-src')).toBe("'none'");
    expect(policy.get('script-src')).toBe("'self'");
    expect(policy.get('connect-src')).toBe("'self'");
    const allowed = [...policy.values()].flatMap((sources) => sources.split(' '));
    expect(allowed.filter((source) => !["'none'", "'self'", "'unsafe-inline'", 'data:'].includes(source))).toEqual([]);
  });

  it('turns off what the reference would ask another server for', async () => {
    const { body } = await server.inject('/docs');
    const [, attribute = ''] = /data-configuration="([^"]*)"/.exec(body) ?? [];
    expect(JSON.parse(attribute.replaceAll('&quot;', '"'))).toMatchObject({
      url: '/openapi.json',
      withDefaultFonts: false,
      telemetry: false,
      agent: { disabled: true },
    });
  });

  it('are shown by a script of our own server, compressed, and not sent again to who has it', async () => {
    const first = await server.inject('/docs/reference.js');
    expect([first.statusCode, first.headers['content-encoding']]).toEqual([200, 'gzip']);
    expect(gunzipSync(first.rawPayload).toString()).toContain('data-configuration');
    const again = await server.inject({
      url: '/docs/reference.js',
      headers: { 'if-none-match': String(first.headers.etag) },
    });
    expect([again.statusCode, again.rawPayload.length]).toEqual([304, 0]);
  });
});
