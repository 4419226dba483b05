// breaks no-restricted-syntax
// The unit is the last word of a name: `timeoutMs`, `lengthBytes`, `retryAfterSeconds`, `knownMax`.
export interface Options {
  readonly known_max: number;
}
