const FIRST_MS = 200;
const LONGEST_MS = 60_000;

/** The pause after the attempt of this number, from 1: doubles up to a minute, spread over half of it; `fraction` in [0, 1). */
export const pauseAfterMs = (attempt: number, fraction: number): number =>
  Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 16)) * (0.5 + fraction / 2);
