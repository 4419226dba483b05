import { describe, expect, it } from '@jest/globals';
import { Type } from '@sinclair/typebox';
import { compileQuerySchema } from './query-validator.ts';
import { compileSchema } from './validator.ts';

describe('a schema with codes', () => {
  const Code = Type.String({ printable: 'code', minLength: 1, maxLength: 255 });
  const Lines = Type.Object({
    sku: Code,
    nodes: Type.Union([Type.Literal('all'), Type.Array(Code, { uniqueItems: true })]),
    lines: Type.Array(Type.Object({ sku: Code })),
  });
  const lines = compileSchema(Lines);

  it('puts each into its one form, wherever it stands', () => {
    const body = { sku: ' e\u0301', nodes: ['e\u0301', 'a '], lines: [{ sku: 'e\u0301 b' }] };
    expect(lines.parse(body)).toEqual({ sku: '\u00e9', nodes: ['\u00e9', 'a'], lines: [{ sku: '\u00e9 b' }] });
    expect(compileQuerySchema(Type.Object({ sku: Code })).parse({ sku: 'e\u0301 ' })).toEqual({ sku: '\u00e9' });
  });

  it('takes two spellings in a list for the same', () => {
    const twice = { sku: 'a', nodes: ['e\u0301', '\u00e9'], lines: [] };
    expect(lines.check(twice)).toMatchObject([{ path: '/nodes', code: 'duplicate' }]);
  });

  it('takes a code whose marks are told apart for as long as it is when they are not', () => {
    expect(lines.check({ sku: 'e\u0301'.repeat(255), nodes: 'all', lines: [] })).toEqual([]);
    expect(lines.check({ sku: 'e\u0301'.repeat(256), nodes: 'all', lines: [] })).toMatchObject([{ path: '/sku' }]);
  });

  it('refuses what is not printable, however many units it has', () => {
    expect(lines.accepts({ sku: `${'😀'.repeat(200)}\n.`, nodes: 'all', lines: [] })).toBe(false);
  });

  it('says what a code may be', () => {
    const [item] = lines.check({ sku: 'a\u200bb', nodes: 'all', lines: [] });
    expect(item).toEqual({ path: '/sku', code: 'pattern', message: expect.stringMatching(/control or format/) });
  });
});
