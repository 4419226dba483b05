// breaks no-restricted-syntax
// What a class keeps to itself is `#name`.
export class Clock {
  private readonly started = 0;

  age(now: number): number {
    return now - this.started;
  }
}
