// breaks no-restricted-syntax
// What a class keeps to itself is `#name`.
export class Clock {
  protected tick(): number {
    return 1;
  }
}
