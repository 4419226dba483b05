import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;
const REQUEST_TIMEOUT_MS = 2_000;

/** True when the process behind `url` says that it is ready. */
export async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Resolves as soon as the process behind `url` is ready.
 *
 * @throws what `giveUp` returns as soon as it returns an error, and the signal's reason when it is aborted.
 */
export async function untilReady(url: string, giveUp: () => Error | undefined, signal: AbortSignal): Promise<void> {
  while (!(await isReady(url))) {
    const reason = giveUp();
    if (reason) throw reason;
    await delay(POLL_MS, undefined, { signal });
  }
}
