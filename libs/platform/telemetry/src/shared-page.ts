/**
 * A page that is dear to make and may be a little old, such as all metrics: it is made once at a time and kept for a
 * while, and whoever asks meanwhile shares its bytes.
 */
export class SharedPage {
  readonly #make: () => Promise<string>;
  readonly #keepMs: number;
  #page: Promise<Buffer> | null = null;
  /** Of the clock that never goes back, in milliseconds. */
  #staleAt = 0;

  constructor(make: () => Promise<string>, keepMs: number) {
    this.#make = make;
    this.#keepMs = keepMs;
  }

  /** Rejects, for all who share it, with what making it failed with. */
  read(): Promise<Buffer> {
    if (this.#page !== null && performance.now() < this.#staleAt) return this.#page;
    this.#staleAt = Number.POSITIVE_INFINITY;
    this.#page = this.#make()
      .then((text) => Buffer.from(text))
      .finally(() => (this.#staleAt = performance.now() + this.#keepMs));
    return this.#page;
  }
}
