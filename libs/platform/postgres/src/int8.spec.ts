import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseInt8 } from './int8.ts';
import { sessionOptions } from './pool.ts';

describe('parseInt8', () => {
  it('returns every safe integer unchanged', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => parseInt8(String(value)) === value));
  });

  it('refuses to round what does not fit', () => {
    expect(() => parseInt8('9007199254740993')).toThrow('not a safe integer');
  });
});

describe('sessionOptions', () => {
  it('escapes blanks and backslashes so that a value cannot become a second option', () => {
    expect(sessionOptions({ lock_timeout: 100, search_path: '"a b\\"' })).toBe(
      '-c lock_timeout=100 -c search_path="a\\ b\\\\"',
    );
  });
});
