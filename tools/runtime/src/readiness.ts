import { setTimeout as delay } from 'node:timers/promises';
import { askApp } from './status/ask-health.ts';

const POLL_MS = 100;

export interface Waiting {
  /** Ends the waiting as soon as it returns an error. */
  readonly giveUp: () => Error | undefined;
  readonly signal: AbortSignal;
  /** Told why the process is not ready, each time it says something else. */
  readonly say: (line: string) => void;
}

/**
 * Resolves as soon as the process behind `url` is ready.
 *
 * @throws what `giveUp` returns, and the signal's reason when it is aborted.
 */
export async function untilReady(url: string, { giveUp, signal, say }: Waiting): Promise<void> {
  let told = '';
  for (;;) {
    const { isHealthy, text } = await askApp(url);
    if (isHealthy) return;
    const reason = giveUp();
    if (reason) throw reason;
    if (text !== told) say(text);
    told = text;
    await delay(POLL_MS, undefined, { signal });
  }
}
