import { describe, expect, it } from '@jest/globals';
import { grantsFor } from './grants.ts';
import { combineRights } from './rights.ts';
import type { SchemaObject } from './schema-objects.ts';

const rights = combineRights(
  { tables: { book: ['SELECT', 'INSERT'] }, sequences: { page: ['USAGE'] } },
  { tables: { 'stage*': ['SELECT', 'DELETE'] }, functions: ['open_stage'] },
);

function objectOf(kind: SchemaObject['kind'], name: string, facts: Partial<SchemaObject> = {}): SchemaObject {
  return { kind, name, grantName: `${kind.toUpperCase()} s.${name}`, held: [], granted: [], isForAll: false, ...facts };
}

describe('the difference between rights and declaration', () => {
  it('is granted where a declared right is missing, to tables of a family too', () => {
    const objects = [
      objectOf('schema', 's'),
      objectOf('table', 'book', { held: ['SELECT'], granted: ['SELECT'] }),
      objectOf('table', 'stage_7_1'),
      objectOf('sequence', 'page'),
      objectOf('function', 'open_stage'),
    ];
    expect(grantsFor('app "x"', rights, objects)).toEqual({
      missing: [
        'GRANT USAGE ON SCHEMA s.s TO "app ""x"""',
        'GRANT INSERT ON TABLE s.book TO "app ""x"""',
        'GRANT SELECT, DELETE ON TABLE s.stage_7_1 TO "app ""x"""',
        'GRANT USAGE ON SEQUENCE s.page TO "app ""x"""',
        'GRANT EXECUTE ON FUNCTION s.open_stage TO "app ""x"""',
      ],
      excess: [],
    });
  });

  it('is revoked where the role was granted more, and never from the database', () => {
    const objects = [
      objectOf('database', 'd', { held: ['CONNECT'], granted: ['TEMPORARY'] }),
      objectOf('table', 'book', { held: ['SELECT', 'INSERT', 'DELETE'], granted: ['SELECT', 'INSERT', 'DELETE'] }),
      objectOf('table', 'former', { held: ['UPDATE'], granted: ['UPDATE'] }),
    ];
    expect(grantsFor('app', rights, objects)).toEqual({
      missing: [],
      excess: ['REVOKE DELETE ON TABLE s.book FROM "app"', 'REVOKE UPDATE ON TABLE s.former FROM "app"'],
    });
  });

  it('is nothing where a group of the role holds what is declared', () => {
    const objects = [objectOf('table', 'book', { held: ['SELECT', 'INSERT'], granted: [] })];
    expect(grantsFor('app', rights, objects)).toEqual({ missing: [], excess: [] });
  });

  it('takes functions from everybody, and gives them to the role by name', () => {
    const objects = [
      objectOf('function', 'open_stage', { held: ['EXECUTE'], isForAll: true }),
      objectOf('function', 'trigger', { held: ['EXECUTE'], isForAll: true }),
    ];
    expect(grantsFor('app', rights, objects)).toEqual({
      missing: ['GRANT EXECUTE ON FUNCTION s.open_stage TO "app"'],
      excess: [
        'REVOKE EXECUTE ON FUNCTION s.open_stage FROM PUBLIC',
        'REVOKE EXECUTE ON FUNCTION s.trigger FROM PUBLIC',
      ],
    });
  });
});

describe('rights put together', () => {
  it('may name a table once', () => {
    const book = { tables: { book: ['SELECT'] } } as const;
    expect(() => combineRights(book, book)).toThrow('declared twice');
  });
});
