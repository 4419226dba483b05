import { type ApiClient, InFlightLimit } from '@onepool/platform-auth';
import { problem } from '@onepool/platform-problem';
import type { HttpLimits } from './http-limits.ts';

/** Bounds how many bodies are streamed in at once, so that no client, nor all of them, take what an upload needs. */
export class UploadPlaces {
  readonly #max: number;
  readonly #perClient: InFlightLimit;
  #taken = 0;

  constructor({ uploadsMax, uploadsPerClientMax }: Pick<HttpLimits, 'uploadsMax' | 'uploadsPerClientMax'>) {
    this.#max = uploadsMax;
    this.#perClient = new InFlightLimit(uploadsPerClientMax);
  }

  /**
   * Takes a place; the result gives it back and may be called once.
   *
   * @throws ProblemError `limit.rate` when there is none left.
   */
  enter(client: ApiClient): () => void {
    if (this.#taken >= this.#max) throw problem('limit.rate', { detail: `At most ${this.#max} uploads at once.` });
    const leave = this.#perClient.enter(client);
    if (leave === null) throw this.#perClient.full;
    this.#taken += 1;
    return () => {
      this.#taken -= 1;
      leave();
    };
  }
}
