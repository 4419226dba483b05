// breaks no-restricted-syntax
// The unit is the last word of a name: `timeoutMs`, `lengthBytes`, `retryAfterSeconds`, `knownMax`.
export const bounded = (text: string, length_bytes: number): string => text.slice(0, length_bytes);
