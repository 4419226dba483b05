/** What a handler may ask for, as the contract of its app names it: `stock:read`. The platform knows none by name. */
export type Scope = string;

/** What a principal or a key may hold in place of scopes: all that are not given by name alone, those to come included. */
export const ALL_SCOPES = 'all';

export interface ScopeRule {
  /** What its holder may do, for people. */
  readonly may?: string;
  /** Whether it is given by name alone, and never by `all`: what lets its holder act as somebody else, or for good. */
  readonly explicit?: boolean;
  /** Whether only a person may use it, or a service on behalf of a named person. */
  readonly human?: boolean;
}

/** The scopes of an app, as its contract declares them. */
export type ScopeRules = Readonly<Record<Scope, ScopeRule>>;

const SCOPE = /^[a-z][a-z0-9-]{0,31}(:[a-z][a-z0-9-]{0,31})?$/;

/** Whether a text looks like a scope. Which ones there are, the contracts say. */
export const isScope = (text: string): boolean => SCOPE.test(text);

/** Which of an app's scopes are held. What the app does not know is none of its business. */
export function heldScopes(held: readonly string[], rules: ScopeRules): ReadonlySet<Scope> {
  const hasAll = held.includes(ALL_SCOPES);
  const scopes = Object.entries(rules).filter(([scope, { explicit }]) => held.includes(scope) || (hasAll && !explicit));
  return new Set(scopes.map(([scope]) => scope));
}
