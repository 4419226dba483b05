import { type Caller, InFlightLimit } from '@onepool/platform-auth';
import { problem } from '@onepool/platform-problem';
import type { HttpLimits } from './http-limits.ts';

/** Bounds how many bodies are streamed in at once, so that no caller, nor all of them, take what an upload needs. */
export class UploadPlaces {
  readonly #max: number;
  readonly #perCaller: InFlightLimit;
  #taken = 0;

  constructor({ uploadsMax, uploadsPerClientMax }: Pick<HttpLimits, 'uploadsMax' | 'uploadsPerClientMax'>) {
    this.#max = uploadsMax;
    this.#perCaller = new InFlightLimit(uploadsPerClientMax);
  }

  /**
   * Takes a place; the result gives it back and may be called once.
   *
   * @throws ProblemError `limit.rate` when there is none left.
   */
  enter(caller: Pick<Caller, 'id'>): () => void {
    if (this.#taken >= this.#max) throw problem('limit.rate', { detail: `At most ${this.#max} uploads at once.` });
    const leave = this.#perCaller.enter(caller);
    if (leave === null) throw this.#perCaller.full;
    this.#taken += 1;
    return () => {
      this.#taken -= 1;
      leave();
    };
  }
}
