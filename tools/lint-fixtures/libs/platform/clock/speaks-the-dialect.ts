// allowed
interface DriftRow {
  readonly drift_ms: number;
}

export class Clock {
  readonly #startedMs: number;

  private constructor(startedMs: number) {
    this.#startedMs = startedMs;
  }

  static of({ drift_ms: driftMs }: DriftRow): Clock {
    return new Clock(driftMs);
  }

  ageMs(nowMs: number): number {
    return nowMs - this.#startedMs;
  }
}
