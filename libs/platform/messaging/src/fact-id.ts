/** Ids of facts, unique for ever: who can read an id knows of what it tells. */
import { hash } from 'node:crypto';

/** An id is a key of the consumers' inboxes, and an index of PostgreSQL takes 2,700 bytes. */
const LENGTH_MAX = 1_024;

/**
 * The id of the fact that tells of a version of `key`, and of its part where one fact does not hold it all. A key holds no `@`,
 * since its names are encoded; an id that would be too long is a digest of itself.
 *
 * @example factId(factKey('sku', code), 7) // 'sku/85123A@7'
 */
export function factId(key: string, version: number, part = 1): string {
  const id = part === 1 ? `${key}@${version}` : `${key}@${version}.${part}`;
  return id.length <= LENGTH_MAX ? id : `${key.slice(0, key.indexOf('/'))}/sha256:${hash('sha256', id, 'hex')}`;
}

/** The same in SQL, of two expressions. */
export const factIdSql = (key: string, version: string): string => `
  CASE WHEN length(${key}) + 1 + length((${version})::text) <= ${LENGTH_MAX} THEN concat(${key}, '@', ${version})
       ELSE concat(split_part(${key}, '/', 1), '/sha256:', encode(sha256(convert_to(concat(${key}, '@', ${version}), 'UTF8')), 'hex')) END`;
