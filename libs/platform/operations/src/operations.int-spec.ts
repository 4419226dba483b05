/** One small app, called over real HTTP and real NATS. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { headers as natsHeaders, type NatsConnection } from '@nats-io/transport-node';
import { Controller, Module, type Type as NestType } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { IdentityCache, installAuth } from '@onepool/platform-auth';
import { UploadPlaces } from '@onepool/platform-http';
import { JsonText, connectNats, natsMicroserviceOptions } from '@onepool/platform-messaging';
import { installProblemHandling, parseJsonBody, toRpcProblem } from '@onepool/platform-problem';
import { FixedIdentity } from '@onepool/testing-identity';
import { createTestNatsAccount } from '@onepool/testing-servers';
import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { type OperationsOptions, installOperations } from './install-operations.ts';
import type { Call } from './operation.ts';
import { Serve } from './serve.ts';

const closed = <P extends Parameters<typeof Type.Object>[0]>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });
const shelf = {
  http: { method: 'POST', path: '/v1/shelves/{id}', success: 201 },
  subject: 'onepool.rpc.shelves.shelf.fill.v1',
  scope: 'shelves:write',
  params: closed({ id: Type.String({ maxLength: 8 }) }),
  query: closed({ dry: Type.Optional(Type.Boolean()) }),
  body: closed({ units: Type.Integer() }),
  response: closed({ id: Type.String(), units: Type.Integer(), dry: Type.Boolean() }),
} as const;
const contract = {
  fill: shelf,
  fillHot: { ...shelf, http: { ...shelf.http, path: '/v1/hot/{id}' }, subject: 'onepool.rpc.shelves.shelf.hot.v1' },
  read: {
    http: { method: 'GET', path: '/v1/text', success: 200 },
    subject: 'onepool.rpc.shelves.text.get.v1',
    scope: 'shelves:read',
    response: closed({ text: Type.String() }),
  },
  load: {
    http: { method: 'POST', path: '/v1/import', success: 200 },
    scope: 'shelves:write',
    csvColumns: ['id'],
    response: closed({ bytes: Type.Integer() }),
  },
  pour: {
    http: { method: 'POST', path: '/v1/stream', success: 202 },
    scope: 'shelves:write',
    stream: { contentTypes: ['application/x-ndjson'] },
    response: closed({ bytes: Type.Integer() }),
  },
} as const;
type Op = typeof contract;

@Controller()
class Shelves {
  @Serve(contract.fill)
  async fill({ params, query, body }: Call<Op['fill']>) {
    return { id: params.id, units: body.units, dry: query.dry ?? false };
  }

  @Serve(contract.fillHot, { hot: true })
  async fillHot({ params, query, body }: Call<Op['fillHot']>) {
    return { id: params.id, units: body.units, dry: query.dry ?? false };
  }

  @Serve(contract.read)
  async read({ caller }: Call<Op['read']>) {
    return new JsonText(`{"text":"for ${caller.id}"}`);
  }

  @Serve(contract.load)
  async load({ body }: Call<Op['load']>) {
    return { bytes: body.length };
  }

  @Serve(contract.pour)
  async pour({ body }: Call<Op['pour']>) {
    let bytes = 0;
    for await (const piece of body) bytes += piece.length;
    return { bytes };
  }
}

const identity = new FixedIdentity();
const keyWith = (...scopes: string[]): string => identity.makeKey({ id: 'prn_spec', scopes });
const answers = {};
const options: OperationsOptions = {
  operations: contract,
  answers,
  uploads: new UploadPlaces({ uploadsMax: 2, uploadsPerClientMax: 2 }),
  csvLimitBytes: 1_000,
};

async function create(controller: NestType, operations: OperationsOptions['operations']) {
  @Module({ controllers: [controller] })
  class Root {}
  const made = await NestFactory.create<NestFastifyApplication>(Root, new FastifyAdapter(), {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  installProblemHandling(made, answers);
  const auth = installAuth(made, {
    identity: new IdentityCache(identity).start(),
    scopes: { 'shelves:read': {}, 'shelves:write': {} },
  });
  installOperations(made, { ...options, operations });
  return { made, auth };
}

let nats: Awaited<ReturnType<typeof createTestNatsAccount>>;
let app: NestFastifyApplication;
let caller: NatsConnection;
const key = keyWith('shelves:read', 'shelves:write');

beforeAll(async () => {
  nats = await createTestNatsAccount();
  const { made, auth } = await create(Shelves, contract);
  app = made;
  app.connectMicroservice(
    await natsMicroserviceOptions({
      url: nats.url,
      name: 'spec',
      queue: 'shelves',
      door: auth.messageDoor,
      parse: (body) => parseJsonBody(Buffer.from(body)),
      toProblem: toRpcProblem,
    }),
    { inheritAppConfig: true, deferInitialization: true },
  );
  await app.init();
  await app.startAllMicroservices();
  caller = await connectNats({ url: nats.url, name: 'spec-caller' });
});

afterAll(async () => {
  await caller.close();
  await app.close();
  await nats.stop();
});

interface Sent {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly payload?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly key?: string | null;
}

async function http({ url, method = 'POST', payload, headers, key: own = key }: Sent) {
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  const { statusCode, body } = await server.inject({
    method,
    url,
    ...(payload === undefined ? {} : { payload }),
    headers: {
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...(own === null ? {} : { authorization: `Bearer ${own}` }),
      ...headers,
    },
  });
  return { status: statusCode, body: JSON.parse(body) as Record<string, unknown> };
}

async function rpc(subject: string, payload: unknown, own: string | null = key) {
  const headers = natsHeaders();
  if (own !== null) headers.set('authorization', `Bearer ${own}`);
  const reply = await caller.request(subject, JSON.stringify(payload) ?? '', { headers, timeout: 60_000 });
  return {
    status: Number(reply.headers?.get('onepool-status')),
    body: reply.json<Record<string, unknown>>(),
  };
}

describe('an operation is served by one method', () => {
  const filled = { status: 201, body: { id: 'a', units: 3, dry: true } };

  it.each(['/v1/shelves/a', '/v1/hot/a'])('over HTTP, its parts typed: %s', async (path) => {
    expect(await http({ url: `${path}?dry=true`, payload: '{"units":3}' })).toEqual(filled);
  });

  it.each([contract.fill.subject, contract.fillHot.subject])(
    'over NATS, as one object, with the same status: %s',
    async (subject) => {
      expect(await rpc(subject, { id: 'a', dry: true, units: 3 })).toEqual(filled);
    },
  );

  it('and may answer with text that is JSON already, over both', async () => {
    const told = { status: 200, body: { text: 'for prn_spec' } };
    expect(await http({ method: 'GET', url: '/v1/text' })).toEqual(told);
    expect(await rpc(contract.read.subject, {})).toEqual(told);
    expect(await rpc(contract.read.subject, undefined)).toEqual(told);
  });
});

describe('a hot route refuses what any other refuses, in the same words', () => {
  const refusals: [string, Omit<Sent, 'url'> & { readonly at: string }, number, string][] = [
    ['no key', { at: '/a', payload: '{"units":3}', key: null }, 401, 'auth.missing'],
    [
      'a key without the scope',
      { at: '/a', payload: '{"units":3}', key: keyWith('shelves:read') },
      403,
      'auth.forbidden',
    ],
    ['a parameter too long', { at: '/123456789', payload: '{"units":3}' }, 400, 'request.invalid'],
    ['an unknown query parameter', { at: '/a?wet=true', payload: '{"units":3}' }, 400, 'request.invalid'],
    ['a query parameter of another type', { at: '/a?dry=1', payload: '{"units":3}' }, 400, 'request.invalid'],
    ['a body of another shape', { at: '/a', payload: '{"units":"3"}' }, 400, 'request.invalid'],
    ['a body that is not JSON', { at: '/a', payload: '{' }, 400, 'request.malformed_json'],
    ['no body', { at: '/a' }, 400, 'request.invalid'],
    [
      'a CSV',
      { at: '/a', payload: 'id\na\n', headers: { 'content-type': 'text/csv' } },
      415,
      'request.unsupported_media_type',
    ],
  ];
  it.each(refusals)('%s', async (_what, { at, ...sent }, status, code) => {
    const plain = await http({ ...sent, url: `/v1/shelves${at}` });
    expect(plain).toMatchObject({ status, body: { code } });
    expect(await http({ ...sent, url: `/v1/hot${at}` })).toEqual(plain);
  });

  it.each([
    ['no key', { id: 'a', units: 3 }, null, 401, 'auth.missing'],
    ['a member that is unknown', { id: 'a', units: 3, wet: true }, key, 400, 'request.invalid'],
    ['text where the query has a boolean', { id: 'a', units: 3, dry: 'true' }, key, 400, 'request.invalid'],
    ['no object', [1], key, 400, 'request.invalid'],
    ['nothing', undefined, key, 400, 'request.invalid'],
  ])('over NATS: %s', async (_what, payload, own, status, code) => {
    const plain = await rpc(contract.fill.subject, payload, own);
    expect(plain).toMatchObject({ status, body: { code } });
    expect(await rpc(contract.fillHot.subject, payload, own)).toEqual(plain);
  });

  it('a member that is unknown where there is nothing to send', async () => {
    const refused = { status: 400, body: { errors: [{ path: '/wet', code: 'unknown_field' }] } };
    expect(await rpc(contract.read.subject, { wet: true })).toMatchObject(refused);
    expect(await http({ method: 'GET', url: '/v1/text?wet=1' })).toMatchObject(refused);
  });
});

describe('a body other than JSON', () => {
  const csv = { url: '/v1/import', headers: { 'content-type': 'text/csv; charset=utf-8' } };
  const stream = { url: '/v1/stream', headers: { 'content-type': 'application/x-ndjson' } };
  const zipped = { ...stream.headers, 'content-encoding': 'gzip' };

  it('arrives as bytes where it is a CSV', async () => {
    expect(await http({ ...csv, payload: 'id\nä\n' })).toEqual({ status: 200, body: { bytes: 6 } });
  });

  it('is refused as JSON where a CSV belongs, and above the limit', async () => {
    expect(await http({ url: '/v1/import', payload: '{}' })).toMatchObject({ status: 415 });
    expect(await http({ ...csv, payload: 'x'.repeat(1_001) })).toMatchObject({ status: 413 });
  });

  it('arrives in pieces where it is a stream, beyond the limit of what is read whole, compressed or not', async () => {
    const payload = Buffer.alloc(3_000_000, 'x');
    expect(await http({ ...stream, payload })).toEqual({ status: 202, body: { bytes: payload.length } });
    expect(await http({ ...stream, headers: zipped, payload: gzipSync(payload) })).toEqual({
      status: 202,
      body: { bytes: payload.length },
    });
  });

  it('is refused where its encoding or its type is unknown', async () => {
    const brotli = { ...stream.headers, 'content-encoding': 'br' };
    expect(await http({ ...stream, headers: brotli, payload: 'x' })).toMatchObject({ status: 415 });
    expect(await http({ url: '/v1/stream', payload: '{}' })).toMatchObject({ status: 415 });
  });
});

describe('an app does not start', () => {
  const starting = (controller: NestType, operations: OperationsOptions['operations']) =>
    create(controller, operations);

  it('when nothing serves an operation of its contract', async () => {
    const more = { ...contract, forgotten: { ...contract.read, http: { ...contract.read.http, path: '/v1/more' } } };
    await expect(starting(Shelves, more)).rejects.toThrow(/forgotten.*no controller/);
  });

  it('when two methods serve one operation', async () => {
    @Controller()
    class Twice extends Shelves {
      @Serve(contract.read)
      async again() {
        return { text: 'again' };
      }
    }
    await expect(starting(Twice, contract)).rejects.toThrow(/read.*Twice\.again.*Twice\.read/);
  });

  it('when a controller serves what its contract does not have', async () => {
    const { read: _read, ...less } = contract;
    await expect(starting(Shelves, less)).rejects.toThrow(/Shelves\.read.*GET \/v1\/text/);
  });
});
