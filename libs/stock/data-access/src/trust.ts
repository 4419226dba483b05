/**
 * Whether something that mostly holds is worth relying on. Each time that it did not hold, the next batches do without,
 * twice as many as the last time, so that what fails for good costs next to nothing.
 */
const BATCHES_WITHOUT = { first: 4, max: 256 };

export class Trust {
  #without = 0;
  #penalty = 0;

  /** Asked once a batch. */
  takes(): boolean {
    if (this.#without === 0) return true;
    this.#without -= 1;
    return false;
  }

  held(): void {
    this.#penalty = 0;
    this.#without = 0;
  }

  failed(): void {
    this.#penalty = Math.min(BATCHES_WITHOUT.max, this.#penalty * 2 || BATCHES_WITHOUT.first);
    this.#without = this.#penalty;
  }
}
