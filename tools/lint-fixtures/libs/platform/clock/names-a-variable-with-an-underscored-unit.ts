// breaks no-restricted-syntax
// The unit is the last word of a name: `timeoutMs`, `lengthBytes`, `retryAfterSeconds`, `knownMax`.
export const retryAfter_s = 1;
