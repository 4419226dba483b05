/**
 * One call of a careful client: an attempt that gets no certain answer is sent again with the same id, to the next
 * replica. What happened is returned with k6's own clock around it; what it means is for the audit to say.
 */
import { sleep } from 'k6';
import http from 'k6/http';
import type { Target } from './settings.ts';

export interface Call {
  /** Milliseconds since the epoch, by the client's clock: before the first attempt. */
  readonly fromMs: number;
  /** After the last answer, rounded up. */
  readonly untilMs: number;
  /** Status of each attempt; 0 without an answer. */
  readonly statuses: readonly number[];
  /** The problem's stable code, of each attempt that was answered with one. */
  readonly codes: readonly (string | null)[];
  /** The last answer, when it is a success. */
  readonly body: unknown;
}

export interface Request {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** What the call is counted as. */
  readonly operation: string;
  /** Which replica hears the first attempt. */
  readonly turn: number;
  /** The first attempt is given up after this time, when it is shorter than the target's. */
  readonly patienceMs?: number;
}

const FIRST_PAUSE_S = 0.1;

// Refusals are answers; only a call without any certain answer has failed.
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 499 }));

/** Sends the request until it is answered for certain or its attempts are used up. */
export function call(target: Target, request: Request): Call {
  const payload = request.body === undefined ? null : JSON.stringify(request.body);
  const headers = { authorization: `Bearer ${target.key}`, 'content-type': 'application/json' };
  const statuses: number[] = [];
  const codes: (string | null)[] = [];
  const fromMs = Date.now();
  for (let attempt = 0; ; attempt += 1) {
    const url = target.urls[(request.turn + attempt) % target.urls.length] ?? '';
    const timeoutMs = attempt === 0 ? (request.patienceMs ?? target.attemptTimeoutMs) : target.attemptTimeoutMs;
    const tags = { operation: request.operation, name: request.operation };
    const answer = http.request(request.method, url + request.path, payload, {
      headers,
      tags,
      timeout: timeoutMs,
    });
    const succeeded = answer.status >= 200 && answer.status < 300;
    statuses.push(answer.status);
    codes.push(succeeded || answer.status === 0 ? null : codeOf(answer.body));
    const isCertain = answer.status !== 0 && answer.status !== 429 && answer.status < 500;
    if (isCertain || attempt + 1 >= target.attempts) {
      const body = succeeded ? answer.json() : null;
      return { fromMs, untilMs: Date.now() + 1, statuses, codes, body };
    }
    // An impatient shopper asks again at once; a system that is busy or away is given time.
    const wasImpatient = attempt === 0 && request.patienceMs !== undefined && answer.status === 0;
    if (!wasImpatient) sleep(FIRST_PAUSE_S * 2 ** attempt);
  }
}

function codeOf(body: unknown): string | null {
  try {
    const problem = JSON.parse(String(body)) as { code?: unknown };
    return typeof problem.code === 'string' ? problem.code : null;
  } catch {
    return null;
  }
}
