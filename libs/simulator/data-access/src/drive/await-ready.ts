import { setTimeout as wait } from 'node:timers/promises';
import { SystemUnavailable } from './system-unavailable.ts';

export interface Patience {
  /** How long a replica may take to become ready. */
  readonly patienceMs: number;
  /** Told what is waited for: at once, whenever the reason changes, and every few seconds. */
  readonly say: (line: string) => void;
}

const PROBE_TIMEOUT_MS = 3_000;
const POLL_MS = 200;
const SAY_EVERY_MS = 5_000;

/**
 * Resolves once every replica is ready: traffic for half a system would blame it for being half.
 *
 * @throws SystemUnavailable when one is not ready in time; the message says which and why.
 */
export const awaitReady = async (urls: readonly string[], { patienceMs, say }: Patience): Promise<void> => {
  const beganMs = performance.now();
  const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;
  let said = '';
  let saidMs = 0;
  for (;;) {
    const reasons = await Promise.all(urls.map(whyNotReady));
    const at = reasons.findIndex((reason) => reason !== undefined);
    const waitedMs = performance.now() - beganMs;
    if (at === -1) {
      if (said !== '') say(`ready after ${seconds(waitedMs)}`);
      return;
    }
    const why = `${urls[at]} ${reasons[at]}`;
    if (waitedMs >= patienceMs) {
      throw new SystemUnavailable(
        `${why}, and was not ready within ${seconds(patienceMs)}: look at the terminal of \`npm start\` and its logs.`,
      );
    }
    if (why !== said || performance.now() - saidMs >= SAY_EVERY_MS) {
      say(`waiting: ${why} (${seconds(waitedMs)} of at most ${seconds(patienceMs)})`);
      said = why;
      saidMs = performance.now();
    }
    await wait(POLL_MS);
  }
};

const whyNotReady = async (url: string): Promise<string | undefined> => {
  try {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    const body: unknown = await answer.json().catch(() => undefined);
    if (answer.ok) return undefined;
    const failed = failedChecks(body);
    return `is not ready (${answer.status}${failed.length > 0 ? `: ${failed.join(', ')}` : ''})`;
  } catch {
    return 'does not answer';
  }
};

/** The names of what the readiness report says has failed. */
const failedChecks = (body: unknown): string[] => {
  if (typeof body !== 'object' || body === null || !('checks' in body)) return [];
  const { checks } = body;
  if (typeof checks !== 'object' || checks === null) return [];
  const hasFailed = (check: unknown): boolean =>
    typeof check === 'object' && check !== null && 'status' in check && check.status !== 'ok';
  return Object.entries(checks).flatMap(([name, check]) => (hasFailed(check) ? [name] : []));
};
