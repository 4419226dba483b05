import { type ProblemError, problem } from '@onepool/platform-problem';
import type { ApiClient } from './api-client.ts';

/** Bounds how many requests of one client are being answered at once, so that one client cannot take every place. */
export class InFlightLimit {
  readonly #countByClient = new Map<number, number>();
  readonly #perClientMax: number;

  constructor(perClientMax: number) {
    this.#perClientMax = perClientMax;
    this.full = problem('limit.rate', { detail: `At most ${perClientMax} requests at once.` });
  }

  /** What a client is told that has no place left: made once, since a client that asks too often is not worth an error each. */
  readonly full: ProblemError;

  /** Takes a place; the result gives it back and may be called once. Null when the client has no place left: {@link full}. */
  enter({ key }: ApiClient): (() => void) | null {
    const count = this.#countByClient.get(key) ?? 0;
    if (count >= this.#perClientMax) return null;
    this.#countByClient.set(key, count + 1);
    return () => {
      const left = (this.#countByClient.get(key) ?? 1) - 1;
      if (left > 0) this.#countByClient.set(key, left);
      else this.#countByClient.delete(key);
    };
  }
}
