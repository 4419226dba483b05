/**
 * What a handler may ask for, as the contract of its app names it: `stock:read`. The platform knows none by name.
 */
import type { ApiClient } from './api-client.ts';

export type Scope = string;

/** What a key may hold in place of scopes: all of them, those to come included. */
export const ALL_SCOPES = 'all';

const SCOPE = /^[a-z][a-z0-9-]{0,31}(:[a-z][a-z0-9-]{0,31})?$/;

/** Whether a text looks like a scope. Which ones there are, the contracts say. */
export const isScope = (text: string): boolean => SCOPE.test(text);

/** True if the client may do what asks for `scope`. No scope implies another; only `all` does. */
export function hasScope(client: ApiClient, scope: Scope): boolean {
  return client.scopes.has(scope) || client.scopes.has(ALL_SCOPES);
}
