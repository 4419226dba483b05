import { setTimeout as delay } from 'node:timers/promises';
import { classifyPgError } from './errors.ts';
import { withClient } from './with-client.ts';

export interface WaitOptions {
  readonly url: string;
  /** How long to keep trying, 30 s unless told. */
  readonly timeoutMs?: number;
}

const RETRY_INTERVAL_MS = 200;
const ATTEMPT_TIMEOUT_MS = 3_000;

/**
 * Resolves once the server answers a query; rejects with the last error when the time is up. A server that is not
 * there yet, still starting or out of connections is retried; a wrong password or database is an error at once.
 */
export async function waitForPostgres({ url, timeoutMs = 30_000 }: WaitOptions): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await withClient(url, async (client) => void (await client.query('SELECT 1')), ATTEMPT_TIMEOUT_MS);
    } catch (error) {
      if (classifyPgError(error) !== 'connection' || performance.now() + RETRY_INTERVAL_MS > deadline) throw error;
    }
    await delay(RETRY_INTERVAL_MS);
  }
}
