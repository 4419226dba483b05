/** Where a list in the order of codes goes on. A cursor is opaque, and of characters that need no encoding anywhere. */
import { readCode } from '@onepool/platform-codes';

export const cursorAfter = (code: string): string => Buffer.from(code, 'utf8').toString('base64url');

/** The code after which the list goes on; null for a cursor that no list has given. */
export function codeBefore(cursor: string): string | null {
  const code = Buffer.from(cursor, 'base64url').toString('utf8');
  return cursorAfter(code) === cursor && readCode(code) === code ? code : null;
}
