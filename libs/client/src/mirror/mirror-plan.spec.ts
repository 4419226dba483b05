import { describe, expect, it } from '@jest/globals';
import { AVAILABILITY } from '@onepool/contracts';
import type { FactEvent } from '@onepool/platform-messaging';
import { SHELVES } from '../spec-support/shelves-app.ts';
import { MirrorPlan } from './mirror-plan.ts';

const plan = new MirrorPlan(SHELVES, 'shelves');
const fact = (name: string, data: unknown): FactEvent => {
  const subject = `onepool.shelves.${name}.v1`;
  return { id: 'f-1', key: 'k', type: subject, subject, source: '/spec', time: '', data };
};

describe('the plan of a mirror', () => {
  it('reads the pages of one kind after the other, and of each to the end', () => {
    expect(plan.firstPage).toEqual({ kind: 'aisles', cursor: null });
    expect(plan.pageAfter({ kind: 'aisles', cursor: null }, 'a7')).toEqual({ kind: 'aisles', cursor: 'a7' });
    expect(plan.pageAfter({ kind: 'aisles', cursor: 'a7' }, null)).toEqual({ kind: 'shelves', cursor: null });
    expect(plan.pageAfter({ kind: 'shelves', cursor: null }, null)).toBeNull();
    expect([plan.operationOf('aisles'), plan.operationOf('shelves')]).toEqual(['aislePages', 'shelfPages']);
  });

  it('listens to the facts of its kinds', () => {
    expect(plan.filterSubject).toBe('onepool.shelves.*.*.v1');
    const data = { code: 's1', state: { units: 4 }, fromVersion: 2, toVersion: 3 };
    const row = { key: 's1', version: 3, value: { units: 4 } };
    expect(plan.rowsOf(fact('shelf.changed', data))).toEqual([{ kind: 'shelves', ...row }]);
    expect(plan.rowsOf(fact('aisle.changed', { ...data, state: null }))).toEqual([
      { kind: 'aisles', ...row, value: null },
    ]);
    expect(plan.rowsOf(fact('door.opened', data))).toEqual([]);
  });

  it.each([
    {},
    null,
    { code: 's1', toVersion: 3 },
    { code: 7, state: null, toVersion: 3 },
    { code: 's1', state: null },
  ])('takes nothing out of %j', (data) =>
    expect(() => plan.rowsOf(fact('shelf.changed', data))).toThrow('lacks code, state or toVersion'),
  );

  it('is of a module that has snapshots', () => {
    expect(() => new MirrorPlan(SHELVES, 'others')).toThrow('Shelves has no snapshots of a module others');
    expect(() => new MirrorPlan(AVAILABILITY, 'stock')).toThrow('no snapshots');
  });
});
