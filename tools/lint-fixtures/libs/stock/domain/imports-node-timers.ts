// breaks no-restricted-imports
// 'node:timers/promises' import is restricted from being used by a pattern. A domain is pure: the clock, randomness and input arrive as parameters. Only node:assert is allowed.
export * from 'node:timers/promises';
