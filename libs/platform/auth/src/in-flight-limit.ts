import { problem } from '@onepool/platform-problem';
import type { ApiClient } from './api-client.ts';

/** Bounds how many requests of one client are being answered at once, so that one client cannot take every place. */
export class InFlightLimit {
  private readonly countByClient = new Map<number, number>();
  private readonly perClient_max: number;

  constructor(perClient_max: number) {
    this.perClient_max = perClient_max;
  }

  /**
   * Takes a place; the result gives it back and may be called once.
   *
   * @throws ProblemError `limit.rate` when the client has no place left.
   */
  enter({ key }: ApiClient): () => void {
    const count = this.countByClient.get(key) ?? 0;
    if (count >= this.perClient_max) {
      throw problem('limit.rate', { detail: `At most ${this.perClient_max} requests at once.` });
    }
    this.countByClient.set(key, count + 1);
    return () => {
      const left = (this.countByClient.get(key) ?? 1) - 1;
      if (left > 0) this.countByClient.set(key, left);
      else this.countByClient.delete(key);
    };
  }
}
