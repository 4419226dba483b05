// breaks no-restricted-properties
// 'Date.now' is restricted from being used. A domain has no clock: pass the instant as a parameter.
export const now = (): number => Date.now();
