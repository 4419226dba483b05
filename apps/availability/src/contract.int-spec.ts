import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AVAILABILITY,
  AVAILABILITY_OPERATIONS,
  type Operation,
  PromiseBroken,
  ReservationChanged,
  SkuChanged,
  asyncApiDocument,
  openApiDocument,
} from '@onepool/contracts';
import { assertEveryHandlerDeclaresScope, messageHandlersOf, routesOf } from '@onepool/platform-auth';
import { servedOperations } from '@onepool/platform-operations';
import { compileSchema } from '@onepool/platform-problem';
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
      'GET /docs': { public: true },
      'GET /docs/reference.js': { public: true },
    });
  });

  it('names every message pattern of the app and no other, each with the scope that the app asks for', () => {
    const declared = operations.flatMap(([, { subject, scope }]) =>
      subject === undefined ? [] : [[subject, { scope }]],
    );
    const handlers = messageHandlersOf(app.availability.app);
    const found = handlers.flatMap(({ patterns, access }) => patterns.map((pattern) => [pattern, access]));
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(declared));
    expect(found).toHaveLength(declared.length);
  });

  it('has each operation served by one method of a controller', () => {
    const served = servedOperations(app.availability.app).map(({ operation }) => operation);
    expect(new Set(served)).toEqual(new Set(operations.map(([, operation]) => operation)));
    expect(served).toHaveLength(operations.length);
  });

  it('leaves no handler without a scope', () => {
    expect(() => assertEveryHandlerDeclaresScope(app.availability.app)).not.toThrow();
  });

  it('lists only problem codes that the catalogue has, and every code of the app is listed somewhere', () => {
    const listed = new Set(
      operations.flatMap(([, { problems: whole, problemsInAnswer = [] }]) => [...whole, ...problemsInAnswer]),
    );
    expect([...listed].filter((code) => !problems.has(code))).toEqual([]);
    const own = Object.keys(problems.definitions).filter((code) =>
      /^(stock|sku|node|channel|reservation|allocation|line|movement|source|idempotency|version|import)\./.test(code),
    );
    expect(own.filter((code) => !listed.has(code))).toEqual([]);
  });

  it.each([
    ...operations.flatMap(([id, operation]) => schemasOf(operation).map((schema) => [id, schema] as const)),
    ...[SkuChanged, ReservationChanged, PromiseBroken].map((schema) => [schema.title ?? 'fact', schema] as const),
  ])(
    'has a schema of %s that refuses members it does not know, wherever they are but in a problem, and nothing else',
    (_id, schema) => {
      const { check } = compileSchema<unknown>(schema);
      for (const sample of samplesOf(schema)) {
        expect({ sample, faults: check(structuredClone(sample)) }).toEqual({ sample, faults: [] });
        for (const { path, value } of withUnknownMember(sample)) {
          expect({ path, faults: check(structuredClone(value)) }).toEqual({
            path,
            faults: path.endsWith('/problem/nobodyKnows')
              ? []
              : [{ path, code: 'unknown_field', message: expect.any(String) }],
          });
        }
      }
    },
  );

  it('gives every operation a method, an address and a subject of its own', () => {
    const addresses = operations.map(([, { http }]) => `${http.method} ${http.path}`);
    const subjects = operations.flatMap(([, { subject }]) => subject ?? []);
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(new Set(subjects).size).toBe(subjects.length);
    for (const subject of subjects)
      expect(subject).toMatch(/^onepool\.rpc\.(catalog|stock)\.[a-z-]+\.[a-z-]+(\.many)?\.v1$/);
  });

  const bulk = operations.flatMap(([id, many]) =>
    id.endsWith('Many') ? [[id.slice(0, -'Many'.length), many] as const] : [],
  );

  it.each(bulk)('offers %s by many where it offers it, under names that follow', (id, { http, subject }) => {
    const single = operations.find(([name]) => name === id)?.[1];
    expect(http.path).toBe(single?.http.path.replace(/(reservations|transfers)(\/\{id\})?/, '$1.many'));
    expect(subject).toBe(single?.subject?.replace(/\.v1$/, '.many.v1'));
  });
});

describe('the documents', () => {
  it('are what anybody may read', async () => {
    const { body: openApi } = await app.fetch('GET', '/openapi.json', { key: null });
    expect(openApi).toEqual(JSON.parse(JSON.stringify(openApiDocument(AVAILABILITY, problems.definitions))));
    const { body: asyncApi } = await app.fetch('GET', '/asyncapi.json', { key: null });
    expect(asyncApi).toEqual(JSON.parse(JSON.stringify(asyncApiDocument(AVAILABILITY))));
  });

  it('describe requests over NATS as the app takes them: one object of path parameters, query and body', async () => {
    expect((await app.rpc('confirm', { body: { id: 'r', commandId: 'c' } })).body).toMatchObject({
      code: 'reservation.unknown',
    });
  });
});
