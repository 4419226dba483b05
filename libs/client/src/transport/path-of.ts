import type { Operation } from '@onepool/contracts';
import { type AnyRequest, UnsendableError } from './transport.ts';

/**
 * The path and query of an operation's request.
 *
 * @throws UnsendableError for a parameter that is missing, or that no URL can carry: `.` and `..` are resolved away on their
 *   way, encoded or not, and would reach another address.
 */
export function pathOf({ http }: Operation, { params = {}, query = {} }: AnyRequest): string {
  const path = http.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => segmentOf(http.path, name, params[name]));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? path : `${path}?${search.toString()}`;
}

function segmentOf(path: string, name: string, value: unknown): string {
  const text = value === undefined || value === null ? '' : String(value);
  if (text === '') throw new UnsendableError(`${path} is called without \`${name}\`.`);
  if (text === '.' || text === '..') {
    throw new UnsendableError(`\`${text}\` cannot be sent as \`${name}\` of ${path}: it would reach another address.`);
  }
  try {
    return encodeURIComponent(text);
  } catch (cause) {
    throw new UnsendableError(`\`${name}\` of ${path} is not well-formed Unicode.`, { cause });
  }
}
