import { afterEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type CustomTransportStrategy, MessagePattern, NatsContext, Payload, Server } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  Public,
  RequireScope,
  assertEveryHandlerDeclaresScope,
  IdentityCache,
  installAuth,
} from '@onepool/platform-auth';
import { installProblemHandling, problem } from '@onepool/platform-problem';
import { currentTrace } from '@onepool/platform-tracing';
import { FixedIdentity } from '@onepool/testing-identity';
import { firstValueFrom } from 'rxjs';
import { type Telemetry, type TelemetryOptions, installTelemetry } from './install-telemetry.ts';
import { createLogger } from './logger.ts';

const identity = new FixedIdentity();
const KEY = identity.makeKey({ id: 'prn_shop', scopes: ['stock:read'] });
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let entered: () => void = () => undefined;

@Controller()
class ThingController {
  @Get('things/:id')
  @RequireScope('stock:read')
  read(@Param('id') id: string): object {
    return { id, requestId: currentTrace()?.requestId };
  }

  @Post('things')
  @Public()
  async create(@Body() _body: unknown): Promise<object> {
    await new Promise((resolve) => setImmediate(resolve));
    return { requestId: currentTrace()?.requestId };
  }

  @Get('hang')
  @Public()
  hang(): Promise<never> {
    entered();
    return new Promise(() => undefined);
  }

  @MessagePattern('things.get')
  @Public()
  async message(@Payload() payload: string): Promise<object> {
    await Promise.resolve();
    if (payload === 'bad') throw problem('request.invalid');
    return { ...currentTrace() };
  }
}

@Module({ controllers: [ThingController] })
class ThingModule {}

/** Nest's message pipeline without a server in between. */
class DirectTransport extends Server implements CustomTransportStrategy {
  override listen(callback: () => void): void {
    callback();
  }
  close(): void {}
  override on(): void {}
  override unwrap<T>(): T {
    return undefined as T;
  }
  async call(pattern: string, payload: unknown, headers?: Map<string, string>): Promise<unknown> {
    const handler = this.getHandlerByPattern(pattern);
    if (!handler) throw new Error(`No handler of ${pattern}`);
    return firstValueFrom(this.transformToObservable(await handler(payload, new NatsContext([pattern, headers]))));
  }
}

let app: NestFastifyApplication;
let telemetry: Telemetry;
let transport: DirectTransport;
let lines: Record<string, unknown>[];
let onLine: () => void = () => undefined;

async function start(options: Partial<TelemetryOptions> = {}): Promise<void> {
  lines = [];
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
    onLine();
  };
  const logger = createLogger({ name: 'spec', destination: { write } });
  const adapter = new FastifyAdapter({ forceCloseConnections: true });
  app = await NestFactory.create<NestFastifyApplication>(ThingModule, adapter, { logger: false });
  telemetry = installTelemetry(app, { logger, ...options });
  installProblemHandling(app);
  installAuth(app, { identity: new IdentityCache(identity).start(), scopes: { 'stock:read': {} } });
  transport = new DirectTransport();
  const shared = { inheritAppConfig: true, deferInitialization: true };
  telemetry.traceMessages(app.connectMicroservice({ strategy: transport }, shared));
  await app.startAllMicroservices();
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
}

/** Waits for the request's line, which is written when the response is closed. */
async function lineWhere(fields: Record<string, unknown>): Promise<Record<string, unknown>> {
  const find = () => lines.find((line) => Object.entries(fields).every(([name, value]) => line[name] === value));
  for (;;) {
    const line = find();
    if (line) return line;
    await new Promise<void>((resolve) => (onLine = resolve));
  }
}

const bearer = { authorization: `Bearer ${KEY}` };

afterEach(() => app.close());

describe('telemetry of requests', () => {
  it('keeps a sane request id and the trace, shows them to the handler and gives them back', async () => {
    await start();
    const headers = { ...bearer, 'x-request-id': 'order-7', traceparent: TRACEPARENT };
    const response = await app.inject({ url: '/things/9', headers });
    expect(response.json()).toEqual({ id: '9', requestId: 'order-7' });
    expect(response.headers['x-request-id']).toBe('order-7');
    expect(response.headers['traceparent']).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
  });

  it('keeps the trace over the parsing of a body and asynchronous work', async () => {
    await start();
    const headers = { 'content-type': 'application/json', 'x-request-id': 'posted' };
    const response = await app.inject({ method: 'POST', url: '/things', payload: '{"a":1}', headers });
    expect(response.json()).toEqual({ requestId: 'posted' });
  });

  it('makes an id where the one given is not sane', async () => {
    await start();
    const response = await app.inject({ url: '/things/9', headers: { ...bearer, 'x-request-id': 'a b\tc' } });
    expect(response.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
  });

  it('logs one line a request, with the template of its route and never the path or the key', async () => {
    await start();
    await app.inject({ url: '/things/secret-path?x=secret-query', headers: { ...bearer, 'x-request-id': 'one' } });
    expect(await lineWhere({ request_id: 'one' })).toMatchObject({
      msg: 'request',
      method: 'GET',
      route: '/things/:id',
      status: 200,
      duration_ms: expect.any(Number),
      caller: 'prn_shop',
      trace_id: expect.any(String),
    });
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toMatch(/secret|opk_/);
  });

  it('logs refused, unknown and broken requests too', async () => {
    await start();
    await app.inject({ url: '/things/9', headers: { 'x-request-id': 'refused' } });
    expect(await lineWhere({ request_id: 'refused' })).toMatchObject({ route: '/things/:id', status: 401 });
    await app.inject({ url: '/wp-login.php', headers: { 'x-request-id': 'unknown' } });
    expect(await lineWhere({ request_id: 'unknown' })).toMatchObject({ route: 'unmatched', status: 404 });
    const broken = { 'content-type': 'application/json', 'x-request-id': 'broken' };
    await app.inject({ method: 'POST', url: '/things', payload: '{', headers: broken });
    expect(await lineWhere({ request_id: 'broken' })).toMatchObject({ route: '/things', status: 400 });
  });

  it('logs a caller that went away before its answer as 499', async () => {
    await start();
    const isEntered = new Promise<void>((resolve) => (entered = resolve));
    await app.listen(0, '127.0.0.1');
    const caller = new AbortController();
    const gone = fetch(`${await app.getUrl()}/hang`, { signal: caller.signal }).catch(() => 'gone');
    await isEntered;
    caller.abort();
    expect(await gone).toBe('gone');
    expect(await lineWhere({ route: '/hang' })).toMatchObject({ status: 499 });
  });

  it('writes no request line where the level is silent', async () => {
    await start({ requestLevel: 'silent' });
    await app.inject({ url: '/things/9', headers: bearer });
    await app.inject('/metrics');
    expect(lines).toEqual([]);
  });
});

describe('telemetry of messages', () => {
  it('continues the trace of the caller', async () => {
    await start();
    const headers = new Map([
      ['x-request-id', 'order-8'],
      ['traceparent', TRACEPARENT],
    ]);
    expect(await transport.call('things.get', 'x', headers)).toMatchObject({
      requestId: 'order-8',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331',
    });
    expect(await lineWhere({ msg: 'message' })).toMatchObject({
      handler: 'ThingController.message',
      status: 'ok',
      request_id: 'order-8',
    });
  });

  it('logs and measures refusals by their code, which the caller gets', async () => {
    await start();
    await expect(transport.call('things.get', 'bad')).rejects.toMatchObject({ code: 'request.invalid' });
    expect(await lineWhere({ status: 'request.invalid' })).toMatchObject({ handler: 'ThingController.message' });
    expect(await telemetry.metrics.registry.metrics()).toContain(
      'rpc_request_duration_seconds_count{transport="nats",handler="ThingController.message",status="request.invalid"} 1',
    );
  });
});

describe('metrics and probes', () => {
  it('count requests under route templates, so that no caller can make up labels', async () => {
    await start();
    for (const url of ['/things/1', '/things/2', '/a', '/b']) await app.inject({ url, headers: bearer });
    const response = await app.inject('/metrics');
    expect(response.headers['content-type']).toContain('text/plain');
    expect(response.body).toContain(
      'http_request_duration_seconds_count{method="GET",route="/things/:id",status="200"} 2',
    );
    expect(response.body).toContain(
      'http_request_duration_seconds_count{method="any",route="unmatched",status="404"} 2',
    );
    expect(response.body).toContain('process_resident_memory_bytes');
    expect(response.body).not.toContain('things/1');
  });

  it('are collected once for all who ask at the same time, who share the bytes', async () => {
    await start();
    let collected = 0;
    telemetry.metrics.gauge('collected', 'Collections', [], (gauge) => gauge.set(++collected));
    const responses = await Promise.all(Array.from({ length: 50 }, () => app.inject('/metrics')));
    expect(responses.map(({ body }) => /^collected (\d+)$/m.exec(body)?.[1])).toEqual(Array(50).fill('1'));
  });

  it('can keep the metrics to a scope', async () => {
    await start({ metricsScope: 'admin' });
    expect((await app.inject('/metrics')).statusCode).toBe(401);
    expect((await app.inject({ url: '/metrics', headers: bearer })).statusCode).toBe(403);
  });

  it('say live always, and ready only while every check passes and the app is not draining', async () => {
    let isUp = true;
    await start({ readiness: { postgres: () => (isUp ? Promise.resolve() : Promise.reject(new Error('down'))) } });
    expect((await app.inject('/health/live')).json()).toEqual({ status: 'live' });
    const ready = await app.inject('/health/ready');
    expect([ready.statusCode, ready.json()]).toMatchObject([
      200,
      { status: 'ready', checks: { postgres: { status: 'ok' } } },
    ]);
    isUp = false;
    const down = await app.inject('/health/ready');
    expect(down.statusCode).toBe(503);
    expect(down.headers).toMatchObject({ 'content-type': 'application/problem+json', 'retry-after': '1' });
    expect(down.json()).toMatchObject({
      code: 'service.unavailable',
      checks: { postgres: { status: 'failed', reason: 'down' } },
    });
    isUp = true;
    telemetry.drain();
    expect((await app.inject('/health/ready')).statusCode).toBe(503);
    expect((await app.inject('/health/live')).statusCode).toBe(200);
  });

  it('declare who may call them', async () => {
    await start();
    expect(() => assertEveryHandlerDeclaresScope(app)).not.toThrow();
  });
});
