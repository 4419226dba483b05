/** Ids of facts, unique for ever: who can read an id knows of what it tells. */
import { hash } from 'node:crypto';

/** An id is a key of the consumers' inboxes, and an index of PostgreSQL takes 2,700 bytes. */
const LENGTH_MAX = 1_024;

/** Of different parts comes another id, because each is encoded; an id that would be too long is a digest of itself. */
export function eventId(kind: string, ...parts: readonly (string | number)[]): string {
  const id = [kind, ...parts.map((part) => encodeURIComponent(part))].join('/');
  return id.length <= LENGTH_MAX ? id : `${kind}/sha256:${hash('sha256', id, 'hex')}`;
}
