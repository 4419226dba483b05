/**
 * Decides whether a connection moves fast enough. It is looked at every now and then, and each look says what its bytes
 * wait for. Standing still is measured from the look that first saw it, so a connection has up to one look more than its
 * time.
 */

/** Whom the connection waits for: the caller, to send or to take bytes, or us, which is no fault of the caller's. */
export type Waiting = 'for_body' | 'for_reader' | 'for_us';

export interface Look {
  /** Milliseconds of a clock that never goes back. */
  readonly at: number;
  readonly waiting: Waiting;
  /** Bytes that came in so far, or bytes that the caller's side has taken; they only grow. */
  readonly movedBytes: number;
  /** Bytes of answers that the caller's side has yet to take; 0 while a body comes in. */
  readonly backlogBytes: number;
}

export interface Pace {
  readonly stallMs: number;
  readonly bytesPerSecondMin: number;
}

/**
 * The look from which on progress is measured: the earlier one while it is still open, the present one when a new
 * stretch begins; or `too_slow`.
 */
export function judgeProgress(since: Look | null, look: Look, { stallMs, bytesPerSecondMin }: Pace): Look | 'too_slow' {
  if (since === null || since.waiting !== look.waiting || look.waiting === 'for_us') return look;
  const movedBytes = look.movedBytes - since.movedBytes;
  const elapsedMs = look.at - since.at;
  if (look.waiting === 'for_reader') {
    // How much of a large answer has gone out is known only when all of it has: it gets the time that its size needs.
    if (movedBytes >= since.backlogBytes) return look;
    return elapsedMs < stallMs + (since.backlogBytes / bytesPerSecondMin) * 1_000 ? since : 'too_slow';
  }
  if (elapsedMs < stallMs) return since;
  return movedBytes >= (elapsedMs / 1_000) * bytesPerSecondMin ? look : 'too_slow';
}
