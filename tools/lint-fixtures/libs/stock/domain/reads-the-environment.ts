// breaks no-restricted-globals
// Unexpected use of 'process'. A domain is pure and synchronous: pass what you need as a parameter.
export const home = (): string | undefined => process.env.HOME;
