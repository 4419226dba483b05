import { setTimeout as delay } from 'node:timers/promises';
import { classifyPgError } from '../errors.ts';

const PAUSES_MS = [50, 100, 200, 400, 800];

/**
 * Repeats what gave a lock up because it had waited long enough: writers queue behind whoever waits for a table, so that has
 * to be short, and the pauses between let them pass. After some attempts the last error is thrown; the next round comes.
 */
export async function retryOnLock<T>(work: () => Promise<T>): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await work();
    } catch (error) {
      const kind = classifyPgError(error);
      if (kind !== 'lock_timeout' && kind !== 'deadlock') throw error;
    }
    await delay(pauseMs);
  }
  return work();
}
