/** How long to wait before the next attempt, and which answers call for one. Pure. */

const FIRST_WAIT_MS = 100;
const WAIT_MS_MAX = 2_000;

/** Doubles from 100 ms to 2 s, spread over half of it so that clients don't return at once; `fraction` in [0, 1). */
export const backoffMs = (attempt: number, fraction: number, retryAfterSeconds = 0): number => {
  const wait = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** Math.min(attempt, 10));
  return Math.max(wait * (0.5 + fraction / 2), retryAfterSeconds * 1_000);
};

/** Busy, over the limit, or broken: the same id may be sent again. */
export const callsForRetry = (status: number): boolean => status === 429 || status >= 500;

/** An answer after which the request may yet have taken effect. Plain 429 and 503 refuse before anything is done. */
export const leavesOutcomeOpen = (status: number, code: string | undefined): boolean =>
  status === 503 ? code === 'outcome.unknown' : status >= 500;
