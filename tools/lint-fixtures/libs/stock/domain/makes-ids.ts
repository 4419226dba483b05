// breaks no-restricted-globals
// Unexpected use of 'crypto'. A domain is pure and synchronous: pass what you need as a parameter.
export const id = (): string => crypto.randomUUID();
