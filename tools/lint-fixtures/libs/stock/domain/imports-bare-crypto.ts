// breaks no-restricted-imports
// 'crypto' import is restricted from being used by a pattern. A domain is pure: the clock, randomness and input arrive as parameters. Only node:assert is allowed.
export * from 'crypto';
