/** Where a program reads the time. Pass it in, so that a rule about time can be tested without waiting. */
export interface Clock {
  /** The present instant. Every call returns a Date of its own, so a caller may keep or change it. */
  now(): Date;
}

/**
 * The machine's own clock. Do not decide with it what the database must decide: whether a reservation has expired is
 * answered by PostgreSQL's `clock_timestamp()`, because machines disagree about the time.
 */
export const systemClock: Clock = Object.freeze({ now: () => new Date() });

/** A clock that stands still until it is told to move. */
export interface FixedClock extends Clock {
  /** Moves the clock forward (or back, with a negative number) by so many milliseconds. */
  advance(durationMs: number): void;
  /** Sets the clock to an instant. */
  set(instant: Date | string): void;
}

/**
 * Makes a clock for tests that stands at `instant`.
 *
 * @throws RangeError when the instant is not a date.
 * @example const clock = fixedClock('2026-03-01T00:00:00Z'); clock.advance(5_000);
 */
export function fixedClock(instant: Date | string): FixedClock {
  let timeMs = parse(instant);
  return {
    now: () => new Date(timeMs),
    advance: (durationMs) => {
      timeMs += durationMs;
    },
    set: (next) => {
      timeMs = parse(next);
    },
  };
}

function parse(instant: Date | string): number {
  const timeMs = new Date(instant).getTime();
  if (Number.isNaN(timeMs)) throw new RangeError(`Not a date: ${String(instant)}`);
  return timeMs;
}
