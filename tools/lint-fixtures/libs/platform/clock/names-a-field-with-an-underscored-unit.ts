// breaks no-restricted-syntax
// The unit is the last word of a name: `timeoutMs`, `lengthBytes`, `retryAfterSeconds`, `knownMax`.
export class Clock {
  readonly #started_ms = 0;

  age(now: number): number {
    return now - this.#started_ms;
  }
}
