import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, HttpException, Module, Param, Post, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Static, Type } from '@sinclair/typebox';
import { problem } from './catalogue.ts';
import { installProblemHandling, problemServerOptions } from './install-problem-handling.ts';
import { compileQuerySchema } from './query-validator.ts';
import { bodyOf } from './validation-pipe.ts';
import { compileSchema } from './validator.ts';

const closed = { additionalProperties: false };
const Thing = Type.Object({ name: Type.String() }, closed);
const Page = Type.Object({ limit: Type.Integer({ default: 10 }) }, closed);
const failures: unknown[] = [];

class DatabaseGone extends Error {}

@Controller('things')
class ThingController {
  @Post()
  create(@Body(bodyOf(compileSchema(Thing))) thing: Static<typeof Thing>): object {
    return { created: thing.name };
  }

  @Get()
  list(@Query(bodyOf(compileQuerySchema(Page))) page: Static<typeof Page>): object {
    return page;
  }

  @Get('fail/:how')
  fail(@Param('how') how: string): never {
    if (how === 'busy') throw problem('service.overloaded', { retryAfterSeconds: 7 });
    if (how === 'key') throw problem('auth.expired');
    if (how === 'http') throw new HttpException('gone', 410);
    if (how === 'database') throw new DatabaseGone('10.0.0.7 refused');
    throw new Error('password=hunter2');
  }
}

@Module({ controllers: [ThingController] })
class ThingModule {}

describe('error answers of a Nest app on Fastify', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    const adapter = new FastifyAdapter(problemServerOptions());
    app = await NestFactory.create<NestFastifyApplication>(ThingModule, adapter, { logger: false });
    installProblemHandling(app, {
      bodyLimitBytes: 1_000,
      onFailure: (error) => failures.push(error),
      map: (error) => (error instanceof DatabaseGone ? problem('service.unavailable', { cause: error }) : undefined),
      instance: (request) => `urn:request:${request.id}`,
    });
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  });

  afterAll(() => app.close());

  const json = { 'content-type': 'application/json' };
  const post = (payload: string | Buffer, headers: Record<string, string> = json) =>
    app.inject({ method: 'POST', url: '/things', payload, headers });

  it('lets a good request through', async () => {
    const response = await post('{"name":"x"}', { 'content-type': 'application/json; charset=utf-8' });
    expect([response.statusCode, response.json()]).toEqual([201, { created: 'x' }]);
    expect((await app.inject('/things?limit=3')).json()).toEqual({ limit: 3 });
  });

  it.each<[string, string, Record<string, string>, number, string]>([
    ['half a document', '{"name":', json, 400, 'request.malformed_json'],
    ['an empty body', '', json, 400, 'request.malformed_json'],
    ['a body over the limit', `{"name":"${'x'.repeat(2_000)}"}`, json, 413, 'request.too_large'],
    [
      'a compressed body',
      '{"name":"x"}',
      { ...json, 'content-encoding': 'gzip' },
      415,
      'request.unsupported_media_type',
    ],
    ['plain text', 'name', { 'content-type': 'text/plain' }, 415, 'request.unsupported_media_type'],
    [
      'a form',
      'name=x',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'request.unsupported_media_type',
    ],
    ['a body that does not fit the schema', '{"name":1}', json, 400, 'request.invalid'],
    ['__proto__ in the body', '{"name":"x","__proto__":{}}', json, 400, 'request.invalid'],
    ['a NUL byte in the body', '{"name":"\\u0000"}', json, 400, 'request.invalid'],
  ])('refuses %s', async (_name, payload, headers, status, code) => {
    const response = await post(payload, headers);
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(response.json()).toMatchObject({
      type: `https://onepool.dev/problems/${code}`,
      status,
      code,
      instance: expect.stringMatching(/^urn:request:/),
    });
    expect(response.statusCode).toBe(status);
  });

  it('refuses a request without a body, because the schema wants one', async () => {
    const response = await app.inject({ method: 'POST', url: '/things' });
    expect(response.json()).toMatchObject({ code: 'request.invalid', errors: [{ path: '', code: 'missing' }] });
  });

  it('answers an unknown address with 404, whatever its body is', async () => {
    for (const options of [
      { url: '/nothing' },
      { url: '/nothing', method: 'POST', payload: '{', headers: json },
    ] as const) {
      const response = await app.inject(options);
      expect([response.statusCode, response.json().code]).toEqual([404, 'request.not_found']);
    }
  });

  it('answers a known address with another method with 405 and what it allows', async () => {
    const response = await app.inject({ method: 'DELETE', url: '/things?x=1' });
    expect([response.statusCode, response.json().code]).toEqual([405, 'request.method_not_allowed']);
    expect(response.headers['allow']).toBe('GET, HEAD, POST');
    expect((await app.inject({ method: 'PUT', url: '/things/fail/x' })).statusCode).toBe(405);
    expect((await app.inject({ method: 'PUT', url: '/things/fail' })).statusCode).toBe(404);
  });

  it('refuses an address that cannot be decoded, is too long in one part or holds a NUL', async () => {
    for (const url of ['/things/fail/%zz', `/things/fail/${'x'.repeat(1_025)}`, '/things?limit=%00', '/%00']) {
      const response = await app.inject(url);
      expect([response.statusCode, response.json().code]).toEqual([400, 'request.invalid']);
      expect(response.headers['content-type']).toBe('application/problem+json');
    }
  });

  it('tells when to come back, and how to authenticate', async () => {
    expect((await app.inject('/things/fail/busy')).headers).toMatchObject({ 'retry-after': '7' });
    const unauthorised = await app.inject('/things/fail/key');
    expect(unauthorised.headers['www-authenticate']).toBe('Bearer realm="onepool", error="invalid_token"');
    expect(unauthorised.headers['cache-control']).toBe('no-store');
  });

  it("lets the app map its own failures, and Nest's HTTP exceptions keep a client's text", async () => {
    const gone = await app.inject('/things/fail/database');
    expect([gone.statusCode, gone.json().code]).toEqual([503, 'service.unavailable']);
    expect(gone.headers['retry-after']).toBe('1');
    expect(gone.body).not.toContain('10.0.0.7');
    expect((await app.inject('/things/fail/http')).json()).toMatchObject({ code: 'request.invalid', detail: 'gone' });
  });

  it('reports an unforeseen error to the log and shows nothing of it', async () => {
    failures.length = 0;
    const response = await app.inject('/things/fail/unforeseen');
    expect([response.statusCode, response.json().code]).toEqual([500, 'internal']);
    expect(response.body).not.toContain('hunter2');
    expect(failures).toEqual([expect.objectContaining({ message: 'password=hunter2' })]);
  });
});
