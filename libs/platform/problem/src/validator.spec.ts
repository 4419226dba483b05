import { describe, expect, it } from '@jest/globals';
import { Type } from '@sinclair/typebox';
import { compileQuerySchema } from './query-validator.ts';
import { compileSchema } from './validator.ts';

const closed = { additionalProperties: false };
const Line = Type.Object(
  { sku: Type.String({ pattern: '^[A-Z]+$', maxLength: 5 }), quantity: Type.Integer({ minimum: 1, maximum: 10 }) },
  closed,
);
const hold = compileSchema(
  Type.Object(
    {
      id: Type.String(),
      lines: Type.Array(Line, { minItems: 1 }),
      mode: Type.Optional(Type.Union([Type.Literal('all'), Type.Literal('partial')])),
      state: Type.Optional(Type.Unsafe<'a' | 'b'>({ type: 'string', enum: ['a', 'b'] })),
      at: Type.Optional(Type.String({ format: 'date-time' })),
      ttl: Type.Integer({ default: 900 }),
    },
    closed,
  ),
);
const line = { sku: 'A', quantity: 1 };
const body = { id: 'r', lines: [line], ttl: 1 };

describe('validating a body', () => {
  it.each<[string, unknown, string, string]>([
    ['an unknown field', { ...body, 'co/lour': 1 }, '/co~1lour', 'unknown_field'],
    ['an unknown field of a line', { ...body, lines: [{ ...line, x: 1 }] }, '/lines/0/x', 'unknown_field'],
    ['a missing field', { id: 'r', ttl: 1 }, '/lines', 'missing'],
    ['no body at all', undefined, '', 'missing'],
    ['a body of another type', [], '', 'wrong_type'],
    ['a number in quotes', { ...body, lines: [{ sku: 'A', quantity: '1' }] }, '/lines/0/quantity', 'wrong_type'],
    ['a fraction', { ...body, lines: [{ sku: 'A', quantity: 1.5 }] }, '/lines/0/quantity', 'wrong_type'],
    ['infinity', { ...body, lines: [{ sku: 'A', quantity: 1e400 }] }, '/lines/0/quantity', 'wrong_type'],
    ['zero', { ...body, lines: [{ sku: 'A', quantity: 0 }] }, '/lines/0/quantity', 'out_of_range'],
    ['a huge quantity', { ...body, lines: [{ sku: 'A', quantity: 1e9 }] }, '/lines/0/quantity', 'out_of_range'],
    ['no lines', { ...body, lines: [] }, '/lines', 'out_of_range'],
    ['text that is too long', { ...body, lines: [{ sku: 'AAAAAA', quantity: 1 }] }, '/lines/0/sku', 'out_of_range'],
    ['text of another form', { ...body, lines: [{ sku: 'a', quantity: 1 }] }, '/lines/0/sku', 'pattern'],
    ['a day that no calendar has', { ...body, at: '2026-02-30T00:00:00Z' }, '/at', 'pattern'],
    ['a leap second', { ...body, at: '2016-12-31T23:59:60Z' }, '/at', 'pattern'],
    ['a time of another century', { ...body, at: '9999-12-31T23:59:59Z' }, '/at', 'pattern'],
    ['a time without a zone', { ...body, at: '2026-01-01T00:00:00' }, '/at', 'pattern'],
    ['a word that is not in the list', { ...body, state: 'c' }, '/state', 'unknown_value'],
    ['a word that is no literal of the union', { ...body, mode: 'some' }, '/mode', 'unknown_value'],
    ['a NUL byte', { ...body, id: 'a\0' }, '/id', 'nul_byte'],
    ['a key of the prototype', { ...body, constructor: 1 }, '/constructor', 'forbidden_key'],
  ])('refuses %s', (_name, value, path, code) => {
    expect(hold.check(value)).toEqual([{ path, code, message: expect.any(String) }]);
  });

  it('throws one problem with every error, up to 20, and never repeats a value', () => {
    const lines = Array.from({ length: 30 }, () => ({ sku: 'hunter2', quantity: 1 }));
    expect(() => hold.parse({ ...body, lines })).toThrow(expect.objectContaining({ code: 'request.invalid' }));
    const errors = hold.check({ ...body, lines });
    expect(errors).toHaveLength(20);
    expect(JSON.stringify(errors)).not.toContain('hunter2');
  });

  it('tells a very large body its first error only', () => {
    const lines = Array.from({ length: 6_000 }, () => ({ sku: 'a', quantity: 0 }));
    expect(hold.check({ ...body, lines })).toHaveLength(1);
  });

  it('says what a list of words allows', () => {
    expect(hold.check({ ...body, mode: 'x' })[0]?.message).toBe('must be one of all, partial');
  });

  it('reports the only branch of a union that lacks nothing', () => {
    const answer = compileSchema(
      Type.Union([Type.Object({ done: Type.Integer() }, closed), Type.Object({ refused: Type.String() }, closed)]),
    );
    expect(answer.check({ done: 1, more: 1 })).toEqual([
      { path: '/more', code: 'unknown_field', message: 'the field is not known' },
    ]);
    for (const unclear of [{}, { done: 1, refused: 'x' }])
      expect(answer.check(unclear)).toMatchObject([{ path: '', code: 'wrong_type' }]);
  });

  it('reports the branch of a union that its discriminating literal names', () => {
    const event = compileSchema(
      Type.Union([
        Type.Object({ kind: Type.Literal('sale'), units: Type.Integer() }, closed),
        Type.Object({ kind: Type.Literal('count'), counted: Type.Integer() }, closed),
      ]),
    );
    expect(event.check({ kind: 'count', counted: 'x' })).toEqual([
      { path: '/counted', code: 'wrong_type', message: 'must be integer' },
    ]);
    expect(event.check(7)).toEqual([{ path: '', code: 'wrong_type', message: 'matches none of the allowed forms' }]);
  });

  it('returns the value itself, with defaults filled in', () => {
    const value = { id: 'r', lines: [line] };
    expect(hold.parse(value)).toBe(value);
    expect(value).toEqual({ id: 'r', lines: [line], ttl: 900 });
  });

  it('fails at start-up when the schema itself is wrong', () => {
    expect(() => compileSchema({ type: 'strnig' })).toThrow();
    expect(() => compileSchema({ type: 'string', patern: 'x' })).toThrow(/unknown keyword/);
  });
});

describe('validating a query', () => {
  const query = compileQuerySchema(
    Type.Object(
      {
        limit: Type.Integer({ minimum: 1, default: 100 }),
        ratio: Type.Optional(Type.Number()),
        full: Type.Optional(Type.Boolean()),
        sku: Type.Optional(Type.Array(Type.String())),
        version: Type.Optional(Type.Array(Type.Integer())),
      },
      closed,
    ),
  );

  it('reads integers, numbers, booleans and repeated parameters', () => {
    expect(query.parse({ limit: '5', ratio: '-1.5', full: 'false', sku: 'A', version: ['1', '2'] })).toEqual({
      limit: 5,
      ratio: -1.5,
      full: false,
      sku: ['A'],
      version: [1, 2],
    });
  });

  it('fills in defaults and leaves its input alone', () => {
    const input = {};
    expect(query.parse(input)).toEqual({ limit: 100 });
    expect(query.parse(undefined)).toEqual({ limit: 100 });
    expect(input).toEqual({});
  });

  it.each(['', ' 5', '0x10', '1e3', '5.0', '99999999999999999999'])('does not take %j for an integer', (limit) => {
    expect(query.check({ limit })).toEqual([expect.objectContaining({ path: '/limit', code: 'wrong_type' })]);
  });

  it('refuses a parameter given twice that is no list, an unknown one and a NUL', () => {
    expect(query.check({ limit: ['1', '2'] })[0]?.code).toBe('wrong_type');
    expect(query.check({ page: '1' })[0]?.code).toBe('unknown_field');
    expect(query.check({ sku: 'a\0' })[0]?.code).toBe('nul_byte');
  });
});
