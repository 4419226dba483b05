// breaks no-restricted-globals
// Unexpected use of 'setTimeout'. A domain is pure and synchronous: pass what you need as a parameter.
export const later = (run: () => void): unknown => setTimeout(run, 1);
