/**
 * Whether an attempt is followed by another, and when: pure. A call is repeated where that is safe (it reads, or carries the
 * key by which the app knows it again) and where it may help: no answer came, or the app asked to be called again. A refusal
 * that only other callers can change, such as `stock.insufficient`, is an answer.
 */
import type { Problem } from '@onepool/platform-problem';
import type { Reply } from './transport/transport.ts';

export interface RetryOptions {
  /** Attempts of one call, the first included; 5 unless told. */
  readonly attemptsMax?: number;
  /** The pause after the first attempt is anything up to this, twice that after the next, and so on; 100 unless told. */
  readonly pauseMs?: number;
  /** Pauses grow no longer; 5,000 unless told. `Retry-After` is added to them. */
  readonly pauseMsMax?: number;
}

export const RETRY_DEFAULTS: Required<RetryOptions> = { attemptsMax: 5, pauseMs: 100, pauseMsMax: 5_000 };

export const isProblem = (body: unknown): body is Problem =>
  typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string';

/** Whether the app, or what stands before it, may answer otherwise soon. */
export function asksForRepeat({ status, body, retryAfterSeconds }: Reply): boolean {
  if (status < 400) return false;
  if (!isProblem(body)) return status === 429 || status >= 500;
  if (body.code.startsWith('request.') || body['retryable'] === false) return false;
  return retryAfterSeconds !== undefined || body.code === 'outcome.unknown';
}

/**
 * Whether the call may have taken effect behind this answer. A plain 429 or 503 of the app is said before anything is done; who
 * answers in its place tells nothing.
 */
export function leavesOutcomeOpen({ status, body }: Reply): boolean {
  if (!isProblem(body)) return status !== 429;
  return status === 503 ? body.code === 'outcome.unknown' : status >= 500;
}

/** Full jitter: anything up to a bound that doubles, so that callers who failed together do not come back together. */
export function pauseMsAfter(
  attempt: number,
  fraction: number,
  retryAfterSeconds: number | undefined,
  { pauseMs, pauseMsMax }: Required<RetryOptions>,
): number {
  const boundMs = Math.min(pauseMsMax, pauseMs * 2 ** Math.min(attempt - 1, 20));
  return (retryAfterSeconds ?? 0) * 1_000 + fraction * boundMs;
}
