import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ArgumentsHost, Catch, Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Transport } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication, RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { addRouteConfig, globalGuardsOf, keepErrorsAsThrown, patternsOf } from './private-parts.ts';

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

  it('let an error of Fastify reach the filters with its code', async () => {
    const server: FastifyInstance = app.getHttpAdapter().getInstance();
    const headers = { 'content-type': 'application/json' };
    const { body } = await server.inject({ method: 'POST', url: '/sample', headers, payload: '{' });
    expect(body).toBe('seen');
    expect(seen.map((error) => (error as { code?: unknown }).code)).toContain('FST_ERR_CTP_INVALID_JSON_BODY');
  });
});
