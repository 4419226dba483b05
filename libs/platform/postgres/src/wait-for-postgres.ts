import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { classifyPgError } from './errors.ts';

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
      return await answersOnce(url);
    } catch (error) {
      if (classifyPgError(error) !== 'connection' || performance.now() + RETRY_INTERVAL_MS > deadline) throw error;
    }
    await delay(RETRY_INTERVAL_MS);
  }
}

async function answersOnce(url: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: ATTEMPT_TIMEOUT_MS,
    query_timeout: ATTEMPT_TIMEOUT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}
