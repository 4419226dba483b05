import { describe, expect, it } from '@jest/globals';
import type { TSchema } from '@sinclair/typebox';
import { ALL_REQUESTS, APPS, INTERNAL_BROADCASTS, INTERNAL_REQUESTS } from './apps.ts';
import { type ModuleContract, factStream, queueOf, requestsOf } from './shared/module-contract.ts';

const isBelow = (subject: string, pattern: string): boolean => subject.startsWith(pattern.replace(/>$/, ''));
const allModules = APPS.flatMap(({ modules }) => modules);
const namesOf = (schema: TSchema | undefined): string[] => Object.keys((schema?.['properties'] ?? {}) as object);
const requiredBy = (schema: TSchema | undefined): string[] => (schema?.['required'] ?? []) as string[];

describe.each(APPS.map((app) => [app.name, app] as const))('the contract of %s', (_name, app) => {
  const operations = Object.entries(app.operations);

  it('puts each operation below one part of the reference, and its subject below its module’s, whose queue answers it', () => {
    for (const [id, { http, subject }] of operations) {
      const places = app.modules.flatMap((module) =>
        module.parts.filter(({ paths }) => paths.test(http.path)).map(() => module),
      );
      expect([id, places.length]).toEqual([id, 1]);
      const [module] = places;
      if (subject === undefined || module === undefined) continue;
      expect([subject, isBelow(subject, requestsOf(module)), queueOf(subject)]).toEqual([subject, true, module.scope]);
    }
  });

  it('has every fact of a module below its stream’s subject, named by entity, fact and version', () => {
    for (const { scope, facts } of app.modules) {
      const [pattern] = factStream(scope).subjects;
      const strays = facts.filter(({ subject }) => !isBelow(subject, pattern) || !/^(\w+\.){4}v\d+$/.test(subject));
      expect([scope, strays]).toEqual([scope, []]);
    }
  });

  it('keeps what only apps may ask and hear below the scope of its module', () => {
    for (const { scope, internal } of app.modules) {
      for (const subject of internal?.answers ?? []) {
        expect([subject, isBelow(subject, INTERNAL_REQUESTS), queueOf(subject)]).toEqual([subject, true, scope]);
      }
      for (const subject of internal?.tells ?? []) {
        expect(subject.startsWith(INTERNAL_BROADCASTS.replace('>', `${scope}.`))).toBe(true);
      }
    }
  });

  it('defines each scope that an operation asks for, and no other', () => {
    const asked = operations.flatMap(([, { scope, moreWith = [] }]) => [scope, ...moreWith]);
    expect(new Set(asked)).toEqual(new Set(Object.keys(app.scopes)));
  });

  it('gives each operation an example, and gives no example without an operation', () => {
    expect(Object.keys(app.examples).sort()).toEqual(operations.map(([id]) => id).sort());
  });

  it('keeps the names of path, query and body apart, since over NATS they are members of one object', () => {
    for (const [id, { params, query, body }] of operations) {
      const names = [params, query, body].flatMap(namesOf);
      expect([id, names.filter((name, index) => names.indexOf(name) !== index)]).toEqual([id, []]);
    }
  });

  it('says of each operation that is no GET why it may be sent again, and asks for the member that it names', () => {
    const faults = operations.filter(([, { http, idempotency, query, body }]) => {
      if (http.method === 'GET') return idempotency !== undefined;
      if (idempotency === undefined || idempotency === 'natural') return idempotency === undefined;
      return ![query, body].some((part) => requiredBy(part).includes(idempotency));
    });
    expect(faults.map(([id]) => id)).toEqual([]);
  });
});

describe('the modules of all apps', () => {
  it('have a subject scope each: no two apps publish one scope, nor answer one', () => {
    const scopes = allModules.map(({ scope }) => scope);
    expect(scopes.filter((scope, at) => scopes.indexOf(scope) !== at)).toEqual([]);
    expect(scopes.filter((scope) => !/^[a-z]+$/.test(scope))).toEqual([]);
    expect(allModules.map(requestsOf).filter((requests) => !isBelow(requests, ALL_REQUESTS))).toEqual([]);
  });

  it('name what their snapshots hold in the app once, since a mirror is asked by that name', () => {
    for (const app of APPS) {
      const kinds = app.modules.flatMap(({ snapshots = {} }: ModuleContract) => Object.keys(snapshots));
      expect([app.name, kinds.filter((kind, at) => kinds.indexOf(kind) !== at)]).toEqual([app.name, []]);
    }
  });

  it('publish no fact onto what is asked or broadcast', () => {
    const asked = [ALL_REQUESTS, INTERNAL_REQUESTS, INTERNAL_BROADCASTS];
    const facts = allModules.map(({ scope }) => factStream(scope).subjects[0]);
    expect(facts.filter((subject) => asked.includes(subject))).toEqual([]);
  });
});

describe('names that follow from a scope', () => {
  it('are those of its requests, its queue and its stream', () => {
    expect(requestsOf({ scope: 'orders' })).toBe('onepool.rpc.orders.>');
    expect(queueOf('onepool.rpc.orders.order.place.v1')).toBe('orders');
    expect(factStream('orders')).toEqual({ name: 'ONEPOOL_ORDERS', subjects: ['onepool.orders.>'] });
  });

  it.each(['onepool.stock.sku.changed.v1', 'onepool.beat.identity.v1', 'rpc.stock.hold.v1', 'onepool.rpc.stock'])(
    'give %s no queue, which is no request to a module',
    (subject) => {
      expect(() => queueOf(subject)).toThrow('no subject of requests');
    },
  );
});
