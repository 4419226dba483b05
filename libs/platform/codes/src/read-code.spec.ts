import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readCode, readCodePrefix } from './read-code.ts';

/** Letters that Unicode spells in several ways, marks that move, white space, and anything else. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '\u00e9',
      'e\u0301',
      '\u212b',
      '\u00c5',
      '\u1e69',
      's\u0323\u0307',
      's\u0307\u0323',
      '\uac01',
      '\u1100\u1161\u11a8',
    ),
    fc.constantFrom(' ', '\u00a0', '\u3000', '\u2028', '\u0958', '\u0301', '.', '/', '%', '"', '\ud83d\ude00'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 300,
});
const code = text.map(readCode).filter((read) => read !== null);

describe('a code', () => {
  it('stays what it is when it is read again', () => {
    fc.assert(fc.property(code, (read) => expect(readCode(read)).toBe(read)));
  });

  it('is the same, however Unicode spells it and whatever white space is around it', () => {
    fc.assert(
      fc.property(
        code,
        fc.constantFrom('NFC', 'NFD'),
        fc.constantFrom('', ' ', '\t', '\u00a0\n'),
        (read, form, space) => {
          expect(readCode(`${space}${read.normalize(form)}${space}`)).toBe(read);
        },
      ),
    );
  });

  it('is found or not by what it is in normal form C', () => {
    fc.assert(fc.property(text, (any) => expect(readCode(any.normalize('NFD'))).toBe(readCode(any.normalize('NFC')))));
  });

  it.each([
    'A-1',
    'a b',
    '50%',
    'a/b',
    '"x"',
    "O'Neill",
    '=1+1',
    '...',
    '.a',
    'Größe 5½',
    '日本',
    '😀',
    'x'.repeat(255),
    '😀'.repeat(255),
  ])('may be %s', (any) => expect(readCode(any)).toBe(any.normalize('NFC')));

  it.each([
    ['nothing', ''],
    ['white space', ' \t\u00a0'],
    ['a directory', '.'],
    ['the directory above', '..'],
    ['a directory among white space', ' .. '],
    ['a line end', 'a\nb'],
    ['a line separator', 'a\u2028b'],
    ['NUL', 'a\0b'],
    ['a character that is not seen', 'a\u200bb'],
    ['a turn of direction', 'a\u202eb'],
    ['half a character', 'a\ud800'],
    ['a character that is none yet', 'a\u0378'],
    ['256 letters', 'x'.repeat(256)],
    ['256 characters of two units', '😀'.repeat(256)],
  ])('is not %s', (_what, any) => expect(readCode(any)).toBeNull());

  it('begins with any of its beginnings', () => {
    fc.assert(
      fc.property(code, fc.nat(), (read, length) => {
        const prefix = readCodePrefix([...read].slice(0, length % 256).join(''));
        // A mark that was cut off may compose with nothing, so that beginnings of whole letters alone are compared.
        if (prefix !== null && read.startsWith(prefix)) expect(readCodePrefix(prefix)).toBe(prefix);
      }),
    );
    expect(readCodePrefix('A ')).toBe('A ');
  });
});
