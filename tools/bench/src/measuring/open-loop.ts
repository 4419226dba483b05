/** Requests that are sent when they are due, whether or not earlier ones have been answered. */
import { setTimeout as delay } from 'node:timers/promises';

export interface OpenLoop<T> {
  readonly perSecond: number;
  readonly seconds: number;
  readonly send: () => Promise<T>;
}

/** How many of the requests must have been sent by now; a late timer is made up for at once. */
export const dueBy = (elapsedMs: number, perSecond: number, total: number): number =>
  Math.min(total, Math.floor((elapsedMs * perSecond) / 1_000) + 1);

/** Resolves with every answer, in the order of sending. @throws the first failure, after all have ended. */
export async function runOpenLoop<T>({ perSecond, seconds, send }: OpenLoop<T>): Promise<readonly T[]> {
  const total = Math.round(perSecond * seconds);
  const begun = performance.now();
  const sent: Promise<T>[] = [];
  while (sent.length < total) {
    const due = dueBy(performance.now() - begun, perSecond, total);
    while (sent.length < due) {
      const answer = send();
      // It is awaited below; until then a failure must not count as unhandled.
      answer.catch(() => undefined);
      sent.push(answer);
    }
    await delay(1);
  }
  await Promise.allSettled(sent);
  return Promise.all(sent);
}
