import { hash } from 'node:crypto';

/** Of an aggregate; an index takes about 2,700 bytes. */
const KEY_LENGTH_MAX = 1_000;

/** The key, or its hash in place of all but its first part where codes are long. */
export function shortKey(key: string): string {
  return key.length <= KEY_LENGTH_MAX ? key : hash('sha256', key);
}
