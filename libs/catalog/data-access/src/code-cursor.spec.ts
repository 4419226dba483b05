import { expect, it } from '@jest/globals';
import { readCode } from '@onepool/platform-codes';
import fc from 'fast-check';
import { codeBefore, cursorAfter } from './code-cursor.ts';

const code = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 255 })
  .map(readCode)
  .filter((read) => read !== null);

it('a cursor is characters that need no encoding, and tells the code from which it was made', () => {
  fc.assert(
    fc.property(code, (any) => {
      expect(cursorAfter(any)).toMatch(/^[\w-]{2,1360}$/);
      expect(codeBefore(cursorAfter(any))).toBe(any);
    }),
  );
});

it.each([
  ['that is cut', cursorAfter('abcd').slice(0, -1)],
  ['of what is no code', Buffer.from('..').toString('base64url')],
  ['of a code in another spelling', Buffer.from('e\u0301').toString('base64url')],
  ['of bytes that are no text', Buffer.from([0xff, 0xfe]).toString('base64url')],
  ['that is padded', `${cursorAfter('a')}==`],
  ['of nothing', ''],
])('a cursor %s is none', (_what, cursor) => expect(codeBefore(cursor)).toBeNull());
