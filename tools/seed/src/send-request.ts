import { setTimeout as pause } from 'node:timers/promises';
import type { SeedRequest } from './seed-requests.ts';

const ATTEMPTS_MAX = 8;
const ANSWER_WITHIN_MS = 30_000;
const PAUSE_MAX_MS = 5_000;

/** The API refused a request, or could not be reached. The message carries the problem document. */
export class SeedFailed extends Error {
  override readonly name = 'SeedFailed';
}

export interface Target {
  readonly url: string;
  readonly key: string;
}

/** A request is safe to send again whatever became of it, so an unanswered one and a 503 are simply tried again. */
async function attempt({ url, key }: Target, request: SeedRequest): Promise<Response> {
  return fetch(new URL(request.path, url), {
    method: request.method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(request.body),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
}

function pauseMs(answer: Response | undefined, attemptNumber: number): number {
  const asked = Number(answer?.headers.get('retry-after'));
  const ms = Number.isFinite(asked) && asked > 0 ? asked * 1_000 : 100 * 2 ** attemptNumber;
  return Math.min(ms, PAUSE_MAX_MS);
}

/** Sends one request until it is applied. Throws `SeedFailed` on a refusal, or when the API stays away. */
export async function sendRequest(target: Target, request: SeedRequest): Promise<void> {
  let last: unknown;
  for (let attemptNumber = 1; attemptNumber <= ATTEMPTS_MAX; attemptNumber++) {
    let answer: Response | undefined;
    try {
      answer = await attempt(target, request);
      const text = await answer.text();
      if (answer.ok) return;
      last = new SeedFailed(`${request.method} ${request.path}: ${answer.status} ${text}`);
    } catch (error) {
      last = error;
    }
    if (answer && answer.status !== 503 && answer.status !== 429) break;
    await pause(pauseMs(answer, attemptNumber));
  }
  if (last instanceof SeedFailed) throw last;
  throw new SeedFailed(`${request.method} ${target.url}${request.path}: no answer`, { cause: last });
}
