import { describe, expect, it } from '@jest/globals';
import type { TSchema } from '@sinclair/typebox';
import { ALL_REQUESTS, APPS } from './apps.ts';
import { requestsOf } from './shared/app-contract.ts';

const isBelow = (subject: string, pattern: string): boolean => subject.startsWith(pattern.replace(/>$/, ''));
const streams = APPS.flatMap((app) => app.streams);
const namesOf = (schema: TSchema | undefined): string[] => Object.keys((schema?.['properties'] ?? {}) as object);
const requiredBy = (schema: TSchema | undefined): string[] => (schema?.['required'] ?? []) as string[];

describe.each(APPS.map((app) => [app.name, app] as const))('the contract of %s', (_name, app) => {
  const operations = Object.entries(app.operations);

  it('has the subject of every request below its own', () => {
    const subjects = operations.flatMap(([, { subject }]) => subject ?? []);
    expect(subjects.filter((subject) => !isBelow(subject, requestsOf(app)))).toEqual([]);
  });

  it('has every fact below a subject of its stream', () => {
    const strays = app.streams.flatMap(({ facts, subjects }) =>
      facts.filter(({ subject }) => !subjects.some((pattern) => isBelow(subject, pattern))),
    );
    expect(strays).toEqual([]);
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

  it('puts each operation below one part of the reference', () => {
    for (const [id, { http }] of operations) {
      expect([id, app.parts.filter(({ paths }) => paths.test(http.path)).length]).toEqual([id, 1]);
    }
  });
});

describe('the apps on NATS', () => {
  it('share no subject, and no request is a fact', () => {
    const owned = [...APPS.map(requestsOf), ...streams.flatMap(({ subjects }) => subjects)];
    const overlaps = owned.filter((a, i) => owned.some((b, j) => i !== j && isBelow(a.replace(/>$/, ''), b)));
    expect(overlaps).toEqual([]);
    expect(APPS.map(requestsOf).filter((requests) => !isBelow(requests, ALL_REQUESTS))).toEqual([]);
  });

  it('share no stream', () => {
    const names = streams.map(({ stream }) => stream);
    expect(new Set(names).size).toBe(names.length);
  });
});
