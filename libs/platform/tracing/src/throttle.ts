const MINUTE_MS = 60_000;

/** Allows something so many times a minute, for what would otherwise fill the log. */
export class Throttle {
  readonly #perMinute: number;
  readonly #nowMs: () => number;
  #minuteEndsMs = Number.NEGATIVE_INFINITY;
  #left = 0;

  /** `nowMs` is a clock that never goes back. */
  constructor(perMinute: number, nowMs: () => number = () => performance.now()) {
    this.#perMinute = perMinute;
    this.#nowMs = nowMs;
  }

  allows(): boolean {
    const nowMs = this.#nowMs();
    if (nowMs >= this.#minuteEndsMs) {
      this.#minuteEndsMs = nowMs + MINUTE_MS;
      this.#left = this.#perMinute;
    }
    this.#left -= 1;
    return this.#left >= 0;
  }
}
