import type { ApiClient } from './api-client.ts';

/** What a handler may ask for. */
export const SCOPES = [
  'stock:read',
  'stock:write',
  'stock:audit',
  'reservations:read',
  'reservations:write',
  'catalog:read',
  'catalog:write',
  'events:read',
  'admin',
] as const;
export type Scope = (typeof SCOPES)[number];

/** What a key may hold: scopes, or `all` of them, those to come included. */
export const GRANTS = [...SCOPES, 'all'] as const;
export type Grant = (typeof GRANTS)[number];

const known: ReadonlySet<string> = new Set(GRANTS);

/** True if a key may be given this grant. */
export function isGrant(text: string): text is Grant {
  return known.has(text);
}

/** True if the client may do what asks for `scope`. No scope implies another; only `all` does. */
export function hasScope(client: ApiClient, scope: Scope): boolean {
  return client.scopes.has(scope) || client.scopes.has('all');
}
