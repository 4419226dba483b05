import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import { PATTERN_METADATA } from '@nestjs/microservices/constants.js';
import {
  AVAILABILITY_OPERATIONS,
  type Operation,
  PROMISE_BROKEN,
  PromiseBroken,
  RESERVATION_FACTS,
  ReservationChanged,
  SKU_CHANGED,
  SkuChanged,
  reservationSubject,
} from '@onepool/contracts';
import { accessOf, assertEveryHandlerDeclaresScope, routesOf } from '@onepool/platform-auth';
import { compileSchema } from '@onepool/platform-problem';
import { Validator } from '@seriousme/openapi-schema-validator';
import { type AppFixture, createAppFixture } from './testing/app-fixture.ts';
import { problems } from './problems.ts';
import { samplesOf, withUnknownMember } from './testing/samples.ts';

let app: AppFixture;
beforeAll(async () => {
  app = await createAppFixture();
});
afterAll(() => app.close());

const operations = Object.entries<Operation>(AVAILABILITY_OPERATIONS);

const schemasOf = ({ params, query, body, response }: Operation) =>
  [params, query, body, response].filter((schema) => schema !== undefined);

/** Message patterns that the app's controllers answer, with the scope each asks for. */
function messagePatterns(): object {
  const scanner = new MetadataScanner();
  const controllers = [...app.availability.app.get(ModulesContainer).values()].flatMap((module) => [
    ...module.controllers.values(),
  ]);
  const handlers = controllers.flatMap(({ metatype }) => {
    const prototype = (metatype as { prototype: Record<string, object> }).prototype;
    return scanner.getAllMethodNames(prototype).map((name) => prototype[name]!);
  });
  const found = handlers.flatMap((handler) => {
    const patterns = Reflect.getMetadata(PATTERN_METADATA, handler) as string[] | undefined;
    return (patterns ?? []).map((pattern) => [pattern, accessOf(handler)] as const);
  });
  return Object.fromEntries(found);
}

describe('the table of operations', () => {
  it('names every route of the app and no other, each with the scope that the app asks for', () => {
    const declared = operations.map(([, { http, scope }]) => [
      `${http.method} ${http.path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
      { scope },
    ]);
    const routes = routesOf(app.availability.app) ?? [];
    const own = routes.filter(({ name }) => !name.startsWith('HEAD ')).map(({ name, access }) => [name, access]);
    expect(Object.fromEntries(own)).toEqual({
      ...Object.fromEntries(declared),
      'GET /openapi.json': { public: true },
      'GET /asyncapi.json': { public: true },
    });
  });

  it('names every message pattern of the app and no other, each with the scope that the app asks for', () => {
    const declared = operations.flatMap(([, { subject, scope }]) =>
      subject === undefined ? [] : [[subject, { scope }]],
    );
    expect(messagePatterns()).toEqual(Object.fromEntries(declared));
  });

  it('leaves no handler without a scope', () => {
    expect(() => assertEveryHandlerDeclaresScope(app.availability.app)).not.toThrow();
  });

  it('lists only problem codes that the catalogue has, and every code of the app is listed somewhere', () => {
    const listed = new Set(operations.flatMap(([, operation]) => operation.problems));
    expect([...listed].filter((code) => !problems.has(code))).toEqual([]);
    const own = Object.keys(problems.definitions).filter((code) =>
      /^(stock|sku|node|channel|reservation|reback|movement|source|idempotency|version|import)\./.test(code),
    );
    expect(own.filter((code) => !listed.has(code))).toEqual([]);
  });

  it.each([
    ...operations.flatMap(([id, operation]) => schemasOf(operation).map((schema) => [id, schema] as const)),
    ...[SkuChanged, ReservationChanged, PromiseBroken].map((schema) => [schema.title ?? 'fact', schema] as const),
  ])('has a schema of %s that refuses members it does not know, wherever they are, and nothing else', (_id, schema) => {
    const { check } = compileSchema<unknown>(schema);
    for (const sample of samplesOf(schema)) {
      expect({ sample, faults: check(structuredClone(sample)) }).toEqual({ sample, faults: [] });
      for (const { path, value } of withUnknownMember(sample)) {
        expect({ path, faults: check(structuredClone(value)) }).toEqual({
          path,
          faults: [{ path, code: 'unknown_field', message: expect.any(String) }],
        });
      }
    }
  });

  it('gives every operation a method, an address and a subject of its own', () => {
    const addresses = operations.map(([, { http }]) => `${http.method} ${http.path}`);
    const subjects = operations.flatMap(([, { subject }]) => subject ?? []);
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(new Set(subjects).size).toBe(subjects.length);
    for (const subject of subjects) expect(subject).toMatch(/^onepool\.rpc\.availability\.[a-z-]+\.[a-z-]+\.v1$/);
  });
});

describe('/openapi.json', () => {
  interface Document {
    readonly openapi: string;
    readonly paths: Record<string, Record<string, { operationId: string; parameters: object[]; responses: object }>>;
  }

  it('is public and valid OpenAPI 3.1', async () => {
    const { status, body } = await app.fetch('GET', '/openapi.json', { key: null });
    expect({ status, version: (body as Document).openapi }).toEqual({ status: 200, version: '3.1.0' });
    expect(await new Validator().validate(structuredClone(body) as Record<string, unknown>)).toEqual({ valid: true });
  });

  it('describes every operation once, with its path parameters, its success and its problems', async () => {
    const { paths } = (await app.fetch('GET', '/openapi.json', { key: null })).body as Document;
    const described = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { operationId, responses, parameters }]) => ({
        id: operationId,
        at: `${method.toUpperCase()} ${path}`,
        responses: Object.keys(responses),
        inPath: parameters.filter((parameter) => 'in' in parameter && parameter.in === 'path').length,
      })),
    );
    const expected = operations.map(([id, { http }]) => ({
      id,
      at: `${http.method} ${http.path}`,
      responses: [String(http.success), 'default'],
      inPath: http.path.split('{').length - 1,
    }));
    expect(new Set(described)).toEqual(new Set(expected));
  });
});

describe('/asyncapi.json', () => {
  interface Document {
    readonly asyncapi: string;
    readonly info: object;
    readonly channels: Record<string, { address: string; messages: Record<string, { payload: object }> }>;
    readonly operations: Record<string, { action: string; channel: { $ref: string }; messages: { $ref: string }[] }>;
  }
  const resolve = (document: object, reference: string): unknown =>
    reference
      .slice(2)
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document);

  it('is public, and every reference in it leads somewhere', async () => {
    const { status, body } = await app.fetch('GET', '/asyncapi.json', { key: null });
    const document = body as Document;
    expect({ status, version: document.asyncapi, info: document.info }).toEqual({
      status: 200,
      version: '3.0.0',
      info: { title: expect.any(String), version: expect.any(String) },
    });
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference!);
    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) expect(resolve(document, reference)).toBeDefined();
    for (const { action, channel, messages } of Object.values(document.operations)) {
      expect(['send', 'receive']).toContain(action);
      for (const { $ref } of messages) expect($ref.startsWith(`${channel.$ref}/messages/`)).toBe(true);
    }
  });

  it('describes a request as one object of path parameters, query and body, and the app takes it as such', async () => {
    const { channels } = (await app.fetch('GET', '/asyncapi.json', { key: null })).body as Document;
    const check = (id: string, payload: object): readonly object[] =>
      compileSchema<unknown>(channels[id]!.messages['request']!.payload).check(payload);
    expect(check('getAtp', { sku: 'a', channel: 'web', byNode: true })).toEqual([]);
    expect(check('confirm', { id: 'r', commandId: 'c' })).toEqual([]);
    expect(check('confirm', { id: 'r' })).toMatchObject([{ code: 'missing' }]);
    expect(check('confirm', { id: 'r', commandId: 'c', x: 1 })).toMatchObject([{ code: 'unknown_field' }]);
    expect((await app.rpc('confirm', { body: { id: 'r', commandId: 'c' } })).body).toMatchObject({
      code: 'reservation.unknown',
    });
  });

  it('has a channel for every subject and every fact, and no other', async () => {
    const { channels } = (await app.fetch('GET', '/asyncapi.json', { key: null })).body as Document;
    const subjects = operations.flatMap(([, { subject }]) => subject ?? []);
    const facts = [SKU_CHANGED, PROMISE_BROKEN, ...RESERVATION_FACTS.map(reservationSubject)];
    const addresses = Object.values(channels).map(({ address }) => address);
    expect(addresses.toSorted()).toEqual([...subjects, ...facts].toSorted());
    for (const { messages } of Object.values(channels)) expect(Object.keys(messages).length).toBeGreaterThan(0);
  });
});
