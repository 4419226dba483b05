/** The three edges together over a real nats-server: problems, API keys and traces of request/reply. */
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type NatsConnection, headers as natsHeaders } from '@nats-io/transport-node';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type ClientProxy,
  ClientProxyFactory,
  MessagePattern,
  NatsRecordBuilder,
  Payload,
} from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  type Caller,
  CurrentCaller,
  IdentityCache,
  RequireScope,
  createApiKey,
  installAuth,
} from '@onepool/platform-auth';
import { connectNats, natsClientOptions, natsMicroserviceOptions } from '@onepool/platform-messaging';
import {
  bodyOf,
  compileSchema,
  installProblemHandling,
  parseJsonBody,
  toProblemError,
  toRpcProblem,
} from '@onepool/platform-problem';
import { currentTrace, traceFrom, traceHeaders, withTrace } from '@onepool/platform-tracing';
import { FixedIdentity } from '@onepool/testing-identity';
import { type TestNats, startTestNats } from '@onepool/testing-servers';
import { Type } from '@sinclair/typebox';
import { firstValueFrom, timeout } from 'rxjs';
import { type Telemetry, installTelemetry } from './install-telemetry.ts';
import { createLogger } from './logger.ts';

const identity = new FixedIdentity();
const KEY = identity.makeKey({ id: 'prn_shop', scopes: ['stock:read'] });
const SUBJECT = 'onepool.rpc.spec.atp.v1';
const query = compileSchema(Type.Object({ sku: Type.String() }, { additionalProperties: false }));

@Controller()
class AtpController {
  @MessagePattern(SUBJECT)
  @RequireScope('stock:read')
  atp(@Payload(bodyOf(query)) { sku }: { sku: string }, @CurrentCaller() caller: Caller): object {
    if (sku === 'boom') throw new Error('password=hunter2');
    return { sku, caller: caller.id, trace: currentTrace() };
  }
}

@Module({ controllers: [AtpController] })
class AtpModule {}

describe('request/reply over NATS', () => {
  let nats: TestNats;
  let app: NestFastifyApplication;
  let client: ClientProxy;
  let stranger: NatsConnection;
  let telemetry: Telemetry;
  const log: string[] = [];
  const parsed: string[] = [];

  beforeAll(async () => {
    nats = await startTestNats();
    app = await NestFactory.create<NestFastifyApplication>(AtpModule, new FastifyAdapter(), { logger: false });
    const logger = createLogger({ name: 'spec', destination: { write: (line: string) => void log.push(line) } });
    telemetry = installTelemetry(app, { logger });
    installProblemHandling(app);
    const { messageDoor } = installAuth(app, {
      identity: new IdentityCache(identity).start(),
      scopes: { 'stock:read': {} },
    });
    const options = await natsMicroserviceOptions({
      url: nats.url,
      name: 'spec',
      queue: 'spec',
      door: messageDoor,
      parse: (body) => {
        parsed.push(Buffer.from(body).toString());
        return parseJsonBody(Buffer.from(body));
      },
      toProblem: toRpcProblem,
      onRefused: telemetry.messageRefused,
    });
    telemetry.traceMessages(app.connectMicroservice(options, { inheritAppConfig: true, deferInitialization: true }));
    await app.startAllMicroservices();
    await app.init();
    client = ClientProxyFactory.create(natsClientOptions({ url: nats.url, name: 'caller' }));
    await client.connect();
    stranger = await connectNats({ url: nats.url, name: 'stranger' });
  });

  afterAll(async () => {
    await client.close();
    await stranger.close();
    await app.close();
    await nats.stop();
  });

  const ask = (
    payload: unknown,
    authorization?: string,
    { subject = SUBJECT, withinMs = 60_000 } = {},
  ): Promise<unknown> => {
    const headers = natsHeaders();
    if (authorization) headers.set('authorization', authorization);
    for (const [name, value] of Object.entries(traceHeaders())) headers.set(name, value);
    const record = new NatsRecordBuilder(payload).setHeaders(headers).build();
    return firstValueFrom(client.send<unknown>(subject, record).pipe(timeout(withinMs)));
  };
  const refusalOf = async (answer: Promise<unknown>) => {
    const error: unknown = await answer.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return toProblemError(error);
  };
  const bearer = `Bearer ${KEY}`;

  it('carries the API key and the trace', async () => {
    const trace = traceFrom({ 'x-request-id': 'order-9' });
    const answer = await withTrace(trace, () => ask({ sku: 'A' }, bearer));
    expect(answer).toMatchObject({
      sku: 'A',
      caller: 'prn_shop',
      trace: { requestId: 'order-9', traceId: trace.traceId, parentSpanId: trace.spanId },
    });
  });

  it('answers refusals with the same problem documents as HTTP', async () => {
    expect((await refusalOf(ask({ sku: 'A' }))).code).toBe('auth.missing');
    expect((await refusalOf(ask({ sku: 'A' }, `Bearer ${createApiKey().key}`))).code).toBe('auth.invalid');
    const invalid = await refusalOf(ask({ sku: 'A', page: 1 }, bearer));
    expect(invalid.toProblem()).toMatchObject({
      code: 'request.invalid',
      status: 400,
      errors: [{ path: '/page', code: 'unknown_field' }],
    });
    expect((await refusalOf(ask({ sku: '\0' }, bearer))).errors).toMatchObject([{ code: 'nul_byte' }]);
  });

  it('shows nothing of an unforeseen error', async () => {
    const refusal = await refusalOf(ask({ sku: 'boom' }, bearer));
    expect(refusal.code).toBe('internal');
    expect(JSON.stringify(refusal.toProblem())).not.toContain('hunter2');
  });

  it('goes on under a flood of messages without a key, none of which is read or has a line in the log', async () => {
    const before = { parsed: parsed.length, lines: log.length };
    const refused = async (): Promise<string | undefined> =>
      /rpc_refused_total\{code="auth.missing"\} (\d+)/.exec(await telemetry.metrics.registry.metrics())?.[1];
    const earlier = Number((await refused()) ?? 0);
    for (let message = 0; message < 20_000; message++) stranger.publish(SUBJECT, '{"sku":"never read"');
    await stranger.flush();
    expect(await ask({ sku: 'A' }, bearer)).toMatchObject({ sku: 'A', caller: 'prn_shop' });
    expect(parsed.slice(before.parsed)).toEqual(['{"sku":"A"}']);
    expect(Number(await refused()) - earlier).toBe(20_000);
    expect(log.slice(before.lines).filter((line) => line.includes('"message"'))).toHaveLength(1);
    expect(log.slice(before.lines).filter((line) => line.includes('"error"'))).toEqual([]);
  });

  it('is unavailable where nobody answers the subject', async () => {
    expect((await refusalOf(ask({}, bearer, { subject: 'onepool.rpc.nobody.v1' }))).code).toBe('service.unavailable');
  });

  it('is unavailable while the server is away, and works again by itself', async () => {
    await nats.kill();
    expect(await askUntil((code) => code === 'service.unavailable')).toBe('service.unavailable');
    await nats.restart();
    expect(await askUntil((code) => code === 'ok')).toBe('ok');
  });

  /** Asks again until the outcome is as wanted. A message lost with its connection never gets an answer: it times out. */
  async function askUntil(isWanted: (code: string) => boolean): Promise<string> {
    for (;;) {
      const code = await ask({ sku: 'A' }, bearer, { withinMs: 1_000 }).then(
        () => 'ok',
        (error: unknown) => toProblemError(error).code,
      );
      if (isWanted(code)) return code;
      expect(['ok', 'outcome.unknown', 'service.unavailable']).toContain(code);
      await setImmediate();
    }
  }
});
