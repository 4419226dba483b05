// breaks no-restricted-properties
// 'Math.random' is restricted from being used. A domain has no randomness: pass the value as a parameter.
export const dice = (): number => Math.random();
