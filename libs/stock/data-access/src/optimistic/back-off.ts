/**
 * How often something is tried that mostly works. Each time that it did not, the next batches do without it, twice as many as
 * the last time, so that what fails for good costs next to nothing.
 */
const BATCHES_WITHOUT = { first: 4, max: 256 };

export class BackOff {
  #left = 0;
  #span = 0;

  /** Whether to try. Asked once a batch. */
  mayTry(): boolean {
    if (this.#left === 0) return true;
    this.#left -= 1;
    return false;
  }

  worked(): void {
    this.#span = 0;
    this.#left = 0;
  }

  failed(): void {
    this.#span = Math.min(BATCHES_WITHOUT.max, this.#span * 2 || BATCHES_WITHOUT.first);
    this.#left = this.#span;
  }
}
