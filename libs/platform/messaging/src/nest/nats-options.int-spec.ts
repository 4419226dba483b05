import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Module, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientProxyFactory,
  Ctx,
  MessagePattern,
  NatsContext,
  NatsRecordBuilder,
  Payload,
  RpcException,
} from '@nestjs/microservices';
import type { ClientProxy } from '@nestjs/microservices';
import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { startTestNats, type TestNats } from '@onepool/testing-servers';
import { firstValueFrom, timeout } from 'rxjs';
import { connectNats } from '../nats/connect-nats.ts';
import { eventually } from '../spec-support/messaging-bench.ts';
import { NatsReply, STATUS_HEADER } from './json-request-reply.ts';
import { natsClientOptions, natsMicroserviceOptions } from './nats-options.ts';
import { mapNatsClientError, ServiceUnavailableError } from './service-unavailable.ts';

@Controller()
class EchoController {
  @MessagePattern('onepool.rpc.spec.echo.v1')
  echo(@Payload() body: unknown, @Ctx() context: NatsContext): unknown {
    return { body, authorization: (context.getHeaders() as Msg['headers'])?.get('authorization') ?? null };
  }

  @MessagePattern('onepool.rpc.spec.created.v1')
  created(@Payload() body: unknown): NatsReply {
    return new NatsReply(201, body);
  }

  @MessagePattern('onepool.rpc.spec.refuse.v1')
  refuse(@Payload() _body: unknown): never {
    throw new RpcException({ status: 409, title: 'Not enough', code: 'stock.insufficient' });
  }

  @MessagePattern('onepool.rpc.spec.crash.v1')
  crash(@Payload() _body: unknown): never {
    throw new Error('secret detail');
  }

  @MessagePattern('onepool.rpc.spec.nothing.v1')
  nothing(@Payload() _body: unknown): void {}
}

@Module({ controllers: [EchoController] })
class EchoModule {}

/** How often each app was asked: one that has two modules, and one into which the second module moves. */
const asked = { old: 0, new: 0 };

@Controller()
class OldApp {
  @MessagePattern('onepool.rpc.staying.ask.v1')
  staying(): string {
    return 'old';
  }

  @MessagePattern('onepool.rpc.moving.ask.v1')
  moving(): string {
    asked.old += 1;
    return 'old';
  }
}

@Controller()
class NewApp {
  @MessagePattern('onepool.rpc.other.ask.v1')
  other(): string {
    return 'new';
  }

  @MessagePattern('onepool.rpc.moving.ask.v1')
  moving(): string {
    asked.new += 1;
    return 'new';
  }
}

@Module({ controllers: [OldApp] })
class OldModule {}

@Module({ controllers: [NewApp] })
class NewModule {}

let nats: TestNats;
let app: INestMicroservice;
let caller: NatsConnection;
let client: ClientProxy;

async function call(
  name: string,
  body: string,
  { timeout = 60_000, ...options }: { headers?: Msg['headers']; timeout?: number } = {},
): Promise<[string, unknown]> {
  const reply = await caller.request(`onepool.rpc.spec.${name}.v1`, body, {
    timeout,
    ...(options.headers === undefined ? {} : { headers: options.headers }),
  });
  return [reply.headers?.get(STATUS_HEADER) ?? '', reply.json()];
}

const failureOf = (name: string): Promise<unknown> =>
  firstValueFrom(client.send(`onepool.rpc.spec.${name}.v1`, {}).pipe(timeout(1_000))).then(
    () => undefined,
    (error: unknown) => error,
  );

beforeAll(async () => {
  nats = await startTestNats();
  app = await NestFactory.createMicroservice(EchoModule, {
    ...(await natsMicroserviceOptions({ url: nats.url, name: 'spec', queue: 'spec' })),
    logger: false,
  });
  await app.listen();
  caller = await connectNats({ url: nats.url, name: 'caller' });
  client = ClientProxyFactory.create(natsClientOptions({ url: nats.url, name: 'client' }));
});

afterAll(async () => {
  client.close();
  await caller.close();
  await app.close();
  await nats.stop();
});

describe('request and reply over NATS', () => {
  it('takes and gives plain JSON, with the headers of the caller', async () => {
    const withKey = headers();
    withKey.set('authorization', 'Bearer k');
    const body = { sku: '85123A', data: 1, pattern: 'not ours', id: 'res_1' };
    expect(await call('echo', JSON.stringify(body), { headers: withKey })).toEqual([
      '200',
      { body, authorization: 'Bearer k' },
    ]);
  });

  it('answers an empty body, a status of the handler’s own, and a handler without a result', async () => {
    expect(await call('echo', '')).toEqual(['200', { authorization: null }]);
    expect(await call('created', '{"id":"res_1"}')).toEqual(['201', { id: 'res_1' }]);
    expect(await call('nothing', '{}')).toEqual(['200', null]);
  });

  it('answers a refusal with its problem document and status', async () => {
    expect(await call('refuse', '{}')).toEqual([
      '409',
      { status: 409, title: 'Not enough', code: 'stock.insufficient' },
    ]);
  });

  it('answers an unexpected error with 500 and none of its detail', async () => {
    const [status, body] = await call('crash', '{}');
    expect([status, JSON.stringify(body)]).toEqual(['500', expect.not.stringContaining('secret')]);
  });

  it('answers what is not JSON with 400 instead of silence', async () => {
    expect(await call('echo', '{"half')).toEqual(['400', expect.objectContaining({ code: 'request.malformed_json' })]);
  });

  it('answers into inboxes only, not onto a subject that the caller could not publish to himself', async () => {
    const heard: string[] = [];
    caller.subscribe('onepool.stock.>', { callback: (_error, message) => void heard.push(message.string()) });
    for (const body of ['1', '{"half'])
      caller.publish('onepool.rpc.spec.echo.v1', body, { reply: 'onepool.stock.forged' });
    // Requests of one connection are taken in order, so their answers would be here before this one's.
    expect(await call('echo', '2')).toEqual(['200', { body: 2, authorization: null }]);
    expect(heard).toEqual([]);
  });

  it('answers each request once while a module is in two apps, whose replicas share the module’s queue', async () => {
    const opening = [OldModule, NewModule].map(async (module) => {
      const name = module.name;
      const queue = (subject: string) => subject.split('.')[2]!;
      const options = await natsMicroserviceOptions({ url: nats.url, name, queue });
      return NestFactory.createMicroservice(module, { ...options, logger: false });
    });
    const apps = await Promise.all(opening);
    for (const one of apps) await one.listen();
    for (let request = 0; request < 40; request++)
      caller.publish('onepool.rpc.moving.ask.v1', '{}', { reply: '_INBOX.x' });
    // Each app takes its messages in their order: when these are answered, so are those before.
    for (const scope of ['staying', 'other'])
      await caller.request(`onepool.rpc.${scope}.ask.v1`, '{}', { timeout: 60_000 });
    for (const one of apps) await one.close();
    expect(asked.old + asked.new).toBe(40);
  });

  it('serves Nest clients too: a result, its headers, and a problem as the error', async () => {
    const withKey = headers();
    withKey.set('authorization', 'Bearer k');
    const record = new NatsRecordBuilder({ n: 1 }).setHeaders(withKey).build();
    expect(await firstValueFrom(client.send('onepool.rpc.spec.echo.v1', record))).toEqual({
      body: { n: 1 },
      authorization: 'Bearer k',
    });
    expect(await failureOf('refuse')).toMatchObject({ code: 'stock.insufficient' });
  });

  it('maps "nobody listens" to unavailable, from a Nest client and from a plain one', async () => {
    expect(mapNatsClientError(await failureOf('missing'))).toBeInstanceOf(ServiceUnavailableError);
    const plain: unknown = await call('missing', '{}').catch((error: unknown) => error);
    expect(mapNatsClientError(plain)).toBeInstanceOf(ServiceUnavailableError);
    expect(mapNatsClientError({ status: 409 })).toEqual({ status: 409 });
  });

  it('maps a lost connection to unavailable, and both sides come back by themselves', async () => {
    await nats.kill();
    const failure = await eventually(
      () => failureOf('echo'),
      (error) => typeof error === 'string',
    );
    expect(mapNatsClientError(failure)).toBeInstanceOf(ServiceUnavailableError);
    await nats.restart();
    await eventually(
      () => failureOf('echo'),
      (error) => error === undefined,
    );
    await eventually(
      // What was lost with the connection is never answered, and asked again.
      () => call('echo', '1', { timeout: 1_000 }),
      ([status]) => status === '200',
    );
  });
});
