import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { findForbiddenText } from './forbidden-text.ts';
import { parseJsonBody } from './parse-json-body.ts';
import { ProblemError } from './problem.ts';

function refusal(body: string | Buffer): { code: string; errors: unknown } {
  try {
    parseJsonBody(Buffer.from(body));
  } catch (error) {
    if (error instanceof ProblemError) return { code: error.code, errors: error.errors };
    throw error;
  }
  throw new Error(`accepted ${body.toString()}`);
}

describe('parsing a JSON body', () => {
  it('gives what JSON.parse gives, for any value without forbidden text', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(findForbiddenText(value).length === 0);
        const text = JSON.stringify(value);
        expect(parseJsonBody(Buffer.from(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each<[string, string, string, string]>([
    ['an escaped NUL in a string', '{"a":["x","\\u0000"]}', 'nul_byte', '/a/1'],
    ['an escaped NUL as the whole body', '"a\\u0000"', 'nul_byte', ''],
    ['an escaped NUL in a key', '{"a\\u0000":1}', 'nul_byte', '/a\uFFFD'],
    ['a raw NUL', '{"a":"\0"}', 'nul_byte', ''],
    ['half a surrogate pair', '{"a":"\\ud800"}', 'lone_surrogate', '/a'],
    ['__proto__', '{"a":{"__proto__":{}}}', 'forbidden_key', '/a/__proto__'],
    ['__proto__ spelled with escapes', '{"\\u005f_proto__":1}', 'forbidden_key', '/__proto__'],
    ['constructor', '{"constructor":1}', 'forbidden_key', '/constructor'],
    ['prototype within an array', '[{"prototype":1}]', 'forbidden_key', '/0/prototype'],
  ])('refuses %s', (_name, body, code, path) => {
    expect(refusal(body)).toEqual({ code: 'request.invalid', errors: [expect.objectContaining({ code, path })] });
  });

  it('accepts text that only looks suspicious', () => {
    for (const value of ['\\u0000', 'constructor', '__proto__', { note: 'the prototype' }, '\u00e9😀']) {
      expect(parseJsonBody(Buffer.from(JSON.stringify(value)))).toEqual(value);
    }
    expect(parseJsonBody(Buffer.from('"caf\\u00e9"'))).toBe('café');
  });

  it.each([
    ['an empty body', ''],
    ['half a document', '{"a":'],
    ['a trailing comma', '[1,]'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('refuses %s as malformed', (_name, body) => {
    expect(refusal(body).code).toBe('request.malformed_json');
  });

  it('lists at most 20 findings and survives any depth', () => {
    const many = JSON.stringify(Array.from({ length: 500 }, () => '\0'));
    expect(refusal(many).errors).toHaveLength(20);
    const deep = `${'['.repeat(100_000)}"\\u0000"${']'.repeat(100_000)}`;
    expect(refusal(deep).errors).toEqual([expect.objectContaining({ code: 'nul_byte' })]);
  });
});
