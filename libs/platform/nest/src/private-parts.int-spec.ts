import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ArgumentsHost, Catch, Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type CustomTransportStrategy, MessagePattern, Server, Transport } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication, RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { addRouteConfig, globalGuardsOf, keepErrorsAsThrown, keepHooksToApp, patternsOf } from './private-parts.ts';

const declared = (target: object, _name: string, descriptor: PropertyDescriptor): void => {
  void target;
  addRouteConfig(descriptor.value as object, { access: 'ours' });
};

@Controller()
class Sample {
  @Get('sample')
  @declared
  @RouteConfig({ theirs: true })
  get(): string {
    return 'got';
  }

  @MessagePattern('a.subject')
  answer(): string {
    return 'answered';
  }

  plain(): void {
    return;
  }
}

@Module({ controllers: [Sample] })
class SampleModule {}

/** Counts how often it began. */
@Module({})
class BeginningModule {
  begun = 0;
  ready = 0;

  onModuleInit(): void {
    this.begun += 1;
  }

  onApplicationBootstrap(): void {
    this.ready += 1;
  }
}

class NoTransport extends Server implements CustomTransportStrategy {
  listen(callback: () => void): void {
    callback();
  }
  close(): void {}
  override on(): void {}
  override unwrap<T>(): T {
    return undefined as T;
  }
}

const guard = { canActivate: () => true };
const seen: unknown[] = [];

@Catch()
class Seeing {
  catch(error: unknown, host: ArgumentsHost): void {
    seen.push(error);
    host.switchToHttp().getResponse<FastifyReply>().status(500).send('seen');
  }
}

let app: NestFastifyApplication;
const configs: unknown[] = [];

beforeAll(async () => {
  const adapter = new FastifyAdapter();
  app = await NestFactory.create<NestFastifyApplication>(SampleModule, adapter, { logger: false });
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  server.addHook('onRoute', ({ method, config }) => {
    if (method === 'GET') configs.push(config);
  });
  keepErrorsAsThrown(adapter);
  app.useGlobalFilters(new Seeing());
  app.useGlobalGuards(guard);
  await app.init();
});

afterAll(() => app.close());

describe('the private parts of Nest that the platform rests on', () => {
  it('tell the patterns of a message handler, and none of any other method', () => {
    const { answer, plain } = Sample.prototype as unknown as Record<string, object>;
    expect(patternsOf(answer!)).toEqual(['a.subject']);
    expect(patternsOf(plain!)).toEqual([]);
  });

  it('put what is declared on a method into the config of its Fastify route, beside what is there', () => {
    expect(configs).toEqual([expect.objectContaining({ access: 'ours', theirs: true })]);
  });

  it('tell whether a microservice runs the guards of its app', () => {
    const connect = (inheritAppConfig: boolean) =>
      app.connectMicroservice({ transport: Transport.TCP }, { inheritAppConfig, deferInitialization: true });
    expect(globalGuardsOf(connect(true))).toEqual([guard]);
    expect(globalGuardsOf(connect(false))).toEqual([]);
  });

  it.each([
    ['once, where its microservice keeps hooks to the app', true, 1],
    ['twice without, which is what would go wrong', false, 2],
  ])('have a module begin %s', async (_title, isKept, times) => {
    const adapter = new FastifyAdapter();
    const other = await NestFactory.create<NestFastifyApplication>(BeginningModule, adapter, { logger: false });
    const microservice = other.connectMicroservice({ strategy: new NoTransport() }, { deferInitialization: true });
    if (isKept) keepHooksToApp(microservice);
    await other.init();
    await other.startAllMicroservices();
    expect(other.get(BeginningModule)).toMatchObject({ begun: times, ready: times });
    await other.close();
  });

  it('let an error of Fastify reach the filters with its code', async () => {
    const server: FastifyInstance = app.getHttpAdapter().getInstance();
    const headers = { 'content-type': 'application/json' };
    const { body } = await server.inject({ method: 'POST', url: '/sample', headers, payload: '{' });
    expect(body).toBe('seen');
    expect(seen.map((error) => (error as { code?: unknown }).code)).toContain('FST_ERR_CTP_INVALID_JSON_BODY');
  });
});
