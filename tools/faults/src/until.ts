import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;
const PATIENCE_MS = 60_000;

/** What was waited for did not come; the message says what it was. */
export class NeverHappened extends Error {
  override readonly name = 'NeverHappened';
}

/**
 * Asks every 20 ms until `look` answers something other than undefined. What it throws counts as "not yet": the system
 * under drill is broken on purpose.
 *
 * @throws NeverHappened after `patienceMs`, a minute unless told.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  let cause: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) {
      throw new NeverHappened(`${what}: not within ${Math.round(patienceMs / 1_000)} s`, { cause });
    }
    await delay(POLL_MS);
  }
}
