/** When the system was away, as its client felt it: pure, from the attempts alone. */

export interface Attempt {
  readonly sentMs: number;
  /** When it was answered, or was given up. */
  readonly endedMs: number;
  /** No answer came, or one that says that the system is away (5xx). */
  readonly failed: boolean;
}

/** Attempts failed, or calls were under way for a second and more and none was answered. */
export interface Outage {
  readonly fromMs: number;
  /** When an attempt was answered again that had been sent after the last failure; undefined while none was. */
  readonly untilMs: number | undefined;
  /** 0 where calls only had to wait. */
  readonly failedAttempts: number;
}

interface Noted {
  fromMs: number;
  untilMs: number | undefined;
  failedAttempts: number;
  lastFailedMs: number;
}

/** Troubles closer together belong to one outage: so long a client waits at most between two attempts. */
const JOINED_WITHIN_MS = 2_000;
const SILENT_FROM_MS = 1_000;

export class OutageLog {
  readonly #noted: Noted[] = [];
  #answeredMs = -Infinity;

  get outages(): readonly Outage[] {
    return this.#noted.map(({ fromMs, untilMs, failedAttempts }) => ({ fromMs, untilMs, failedAttempts }));
  }

  /** Takes attempts in the order in which they ended. Answers true when this one begins an outage with a failure. */
  take(attempt: Attempt): boolean {
    if (attempt.failed) return this.#fail(attempt);
    this.#answer(attempt);
    return false;
  }

  #fail({ sentMs, endedMs }: Attempt): boolean {
    const last = this.#lastNear(sentMs);
    if (last === undefined) {
      this.#noted.push({ fromMs: sentMs, untilMs: undefined, failedAttempts: 1, lastFailedMs: endedMs });
      return true;
    }
    last.failedAttempts += 1;
    // One that was sent before the outage ended, and fails only now, does not prolong it.
    if (last.untilMs !== undefined && sentMs < last.untilMs) return false;
    last.untilMs = undefined;
    last.lastFailedMs = endedMs;
    return false;
  }

  #answer({ sentMs, endedMs }: Attempt): void {
    const silentFromMs = Math.max(this.#answeredMs, sentMs);
    this.#answeredMs = endedMs;
    const open = this.#noted.at(-1);
    if (open !== undefined && open.untilMs === undefined && sentMs >= open.lastFailedMs) open.untilMs = endedMs;
    if (endedMs - silentFromMs < SILENT_FROM_MS) return;
    const last = this.#lastNear(silentFromMs);
    if (last === undefined) {
      this.#noted.push({ fromMs: silentFromMs, untilMs: endedMs, failedAttempts: 0, lastFailedMs: -Infinity });
      return;
    }
    last.fromMs = Math.min(last.fromMs, silentFromMs);
    if (last.untilMs !== undefined) last.untilMs = Math.max(last.untilMs, endedMs);
  }

  /** The last outage, when what began then belongs to it. */
  #lastNear(fromMs: number): Noted | undefined {
    const last = this.#noted.at(-1);
    return last !== undefined && fromMs - (last.untilMs ?? fromMs) < JOINED_WITHIN_MS ? last : undefined;
  }
}
