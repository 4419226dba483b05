/** The database's time between two looks at it: what it said last, and what has passed here since. */
export class DatabaseClock {
  #aheadMs: number | null = null;

  /** `now` (ms) was read by the database before its answer came, so this clock is never ahead of a steady database. */
  heard(now: number): void {
    this.#aheadMs = now - performance.now();
  }

  /** Milliseconds, null before the first look. Whoever relies on it lets the database check. */
  get now(): number | null {
    return this.#aheadMs === null ? null : Math.floor(this.#aheadMs + performance.now());
  }
}
