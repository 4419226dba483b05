import { describe, expect, it } from '@jest/globals';
import { ALL_REQUESTS, APPS_ON_NATS } from './apps.ts';
import { PROMISE_BROKEN, RESERVATION_FACTS, SKU_CHANGED, reservationSubject } from './facts.ts';
import { AVAILABILITY_OPERATIONS, type Operation } from './operations.ts';

const isBelow = (subject: string, pattern: string): boolean => subject.startsWith(pattern.replace(/>$/, ''));

describe('what the apps own on NATS', () => {
  const [availability] = APPS_ON_NATS;

  it('holds every request that an operation has', () => {
    const operations: readonly Operation[] = Object.values(AVAILABILITY_OPERATIONS);
    const subjects = operations.flatMap(({ subject }) => subject ?? []);
    expect(subjects.filter((subject) => !isBelow(subject, availability!.requests))).toEqual([]);
  });

  it('holds every fact', () => {
    const subjects = [SKU_CHANGED, PROMISE_BROKEN, ...RESERVATION_FACTS.map(reservationSubject)];
    const owned = availability!.facts!.subjects;
    expect(subjects.filter((subject) => !owned.some((pattern) => isBelow(subject, pattern)))).toEqual([]);
  });

  it('gives no subject to two apps, and no facts to requests', () => {
    const owned = APPS_ON_NATS.flatMap(({ requests, facts }) => [requests, ...(facts?.subjects ?? [])]);
    const overlaps = owned.filter((a, i) => owned.some((b, j) => i !== j && isBelow(a.replace(/>$/, ''), b)));
    expect(overlaps).toEqual([]);
    expect(APPS_ON_NATS.filter(({ requests }) => !isBelow(requests, ALL_REQUESTS))).toEqual([]);
  });
});
